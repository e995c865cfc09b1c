"""Scenarios that a file cannot tell: reloads, thousands of jobs, a rule that fails, what a message shows of its time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from alertd.alerts.lifecycle import NEW_SERIES_NOTE
from alertd.model.document import Document
from alertd.model.notification import Reason
from alertd.notify.channels.port import Integration
from alertd.rehearsal.course import Course
from alertd.rehearsal.engine import Rehearsal
from alertd.rehearsal.job_name import JobName
from alertd.rehearsal.script import Behaviour, JobScript, Script, Span
from alertd.rehearsal.setting import Setting
from alertd.rules.expression import Expression
from alertd.rules.loader import load_rules, read_rules
from alertd.rules.rule import Rule
from alertd.simulator.timeline import parse_timeline

RULES = load_rules([Path(__file__).parent / "rules" / "small.yaml"]).by_name
Told = list[tuple[str, str, list[str], list[str]]]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def job(*steps: object, name: str = "contoso/Salesforce/SF.1") -> JobScript:
    return JobScript(name=JobName.parse(name), timeline=parse_timeline(steps))


def setting(*names: str) -> Setting:
    return Setting.of([RULES[name] for name in names], None)


def play(script: Script, where: Setting) -> Course:
    return asyncio.run(Rehearsal(script, where).play())


def told(course: Course) -> Told:
    """When, why, what fires, what has ended."""
    return [
        (
            str(one.at),
            one.reason.value,
            [alert.name for alert in one.firing],
            [f"{end.alert.name} {end.ended}" for end in one.resolved],
        )
        for one in course.heard
    ]


class Reload(Rehearsal):
    """A test in whose restart the process comes back with other rules or routes."""

    def __init__(self, script: Script, before: Setting, after: Setting) -> None:
        super().__init__(script, before)
        self._after = after

    async def _restart(self, moment: timedelta) -> bool:
        if self._restarts and self._restarts[0] <= moment:
            self._setting, self._book = self._after, self._after.book()
        return await super()._restart(moment)


def reloaded(script: Script, before: Sequence[Rule], after: Sequence[Rule], *, silently: bool = False) -> Told:
    settings = [Setting.of(rules, None) for rules in (before, after)]
    if silently:
        settings = [closing_silently(where) for where in settings]
    return told(asyncio.run(Reload(script, settings[0], settings[1]).play()))


def closing_silently(where: Setting) -> Setting:
    receivers: dict[str, tuple[Integration, ...]] = {
        name: tuple(attrs.evolve(one, closes_silently=True) for one in integrations)
        for name, integrations in where.routing.receivers.items()
    }
    return attrs.evolve(where, routing=attrs.evolve(where.routing, receivers=receivers))


FIRST = ("0:00:00", "first_notification", ["Paused"], [])


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param(["Paused x4"], [FIRST], id="holds on: pending, firing again, and not a word"),
        pytest.param(
            ["Paused x2", "Active"],
            [FIRST, ("0:10:00", "all_resolved", [], ["Paused resolved"])],
            id="ends while pending: the end is told as for any firing alert",
        ),
    ],
)
def test_s11_for_is_raised_by_a_reload(steps: list[str], expected: Told) -> None:
    script = Script(name="S11", jobs=(job(*steps),), restarts=(minutes(3),))
    longer = attrs.evolve(RULES["Paused"], hold_duration=minutes(15))

    assert reloaded(script, [RULES["Paused"]], [longer]) == expected


def test_s50_a_reload_without_change_says_nothing() -> None:
    script = Script(name="S50", jobs=(job("Paused x5"),), restarts=(minutes(3), minutes(10)))

    assert reloaded(script, [RULES["Paused"]], [RULES["Paused"]]) == [FIRST]


def test_s53_a_rule_that_moves_to_another_file_and_gets_other_labels_keeps_its_alert() -> None:
    moved = read_rules(
        Document.parse(
            "groups: [{name: elsewhere, rules: [{alert: Paused, when: 'status.code == \"Paused\"', labels: {a: b}}]}]",
            file="elsewhere.yaml",
        )
    )
    script = Script(name="S53", jobs=(job("Paused x3", "Active"),), restarts=(minutes(7),))

    ended = ("0:15:00", "all_resolved", [], ["Paused resolved"])
    assert reloaded(script, [RULES["Paused"]], moved) == [FIRST, ended]


@pytest.mark.parametrize(
    ("silently", "expected"),
    [
        pytest.param(False, [FIRST, ("0:07:00", "rule_removed", [], ["Paused rule_removed"])], id="a machine is told"),
        pytest.param(True, [FIRST], id="chat and mail are not"),
    ],
)
def test_s52_a_rule_is_removed_while_it_fires(silently: bool, expected: Told) -> None:
    script = Script(name="S52", jobs=(job("Paused x5"),), restarts=(minutes(6.5),))

    assert reloaded(script, [RULES["Paused"]], [RULES["Quarantined"]], silently=silently) == expected


def test_s52_a_rule_that_is_added_is_asked_from_then_on() -> None:
    script = Script(name="S52", jobs=(job("Paused x5"),), restarts=(minutes(10),))

    found = reloaded(script, [RULES["Quarantined"]], [RULES["Quarantined"], RULES["Paused"]])
    assert found == [("0:10:00", "first_notification", ["Paused"], [])]


def test_s25_five_thousand_at_once_are_one_message_and_none_is_lost() -> None:
    steps = parse_timeline(["Active", "Paused"])
    jobs = tuple(
        JobScript(
            name=JobName(tenant="contoso", service_principal=f"App {index % 50}", id=f"job-{index}"), timeline=steps
        )
        for index in range(5000)
    )

    course = play(Script(name="S25", jobs=jobs), setting("Paused"))

    assert [(one.reason, len(one.firing)) for one in course.heard] == [(Reason.FIRST_NOTIFICATION, 5000)]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_s28_statuses_that_are_tried_again(status: int) -> None:
    assert accepted_after(status) == timedelta(seconds=5)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 413, 422])
def test_s28_statuses_that_are_final(status: int) -> None:
    """The next tick decides anew."""
    assert accepted_after(status) == minutes(1)


def accepted_after(status: int) -> timedelta:
    refusing = Behaviour(receiver="default", span=Span(starts=minutes(0), ends=timedelta(seconds=5)), answer=status)
    script = Script(name="S28", jobs=(job("Paused"),), behaviours=(refusing,), until=minutes(5))
    return play(script, setting("Paused")).heard[0].at


def test_s47_a_message_gives_the_window_in_which_the_change_happened() -> None:
    script = Script(name="S47", jobs=(job("Active x2", "error x3", "Paused"),), restarts=(minutes(12),))
    course = play(script, setting("Paused"))

    messages = [attempt.notification for instant in course.instants for attempt in instant.attempts]
    between = [instant and instant - script.start for instant in messages[0].observed_between]
    assert between == [minutes(5), minutes(25)]


def test_a_new_series_says_so() -> None:
    script = Script(
        name="series", jobs=(job("Quarantine(TooManyDeletes)", {"quarantine": {"seriesBegan": "-2m"}}, "same"),)
    )
    course = play(script, setting("Quarantined"))

    assert [(one.reason, one.firing[0].evidence.note) for one in course.heard] == [
        (Reason.FIRST_NOTIFICATION, ""),
        (Reason.NEW_ALERTS, NEW_SERIES_NOTE),
    ]


class Broken:
    """A condition that fails, which none that was checked can."""

    reads: frozenset[str] = frozenset()
    term = Expression.compile("true").term

    def truth(self, subject: object, params: object) -> bool:
        raise RuntimeError(f"cannot judge {params}")


def test_s57_a_rule_that_fails_keeps_its_alerts_and_stops_no_other() -> None:
    """It fails from 5m until 15m: its alert stays, the operator hears of it, and another rule goes on."""
    unhealthy = read_rules(
        Document.parse(
            "groups: [{name: own, scope: alertd, rules: [{alert: Unhealthy, when: alertd.unhealthyRules > 0}]}]"
        )
    )
    broken = attrs.evolve(RULES["Paused"], when=Broken())
    rules = [RULES["Paused"], RULES["Quarantined"], *unhealthy]
    script = Script(
        name="S57",
        jobs=(job("Paused", "Active x5"), job("Active x2", "Quarantine(Unknown)", name="contoso/Workday/WD.1")),
        restarts=(minutes(5), minutes(15)),
        until=minutes(25),
    )

    class Twice(Reload):
        async def _restart(self, moment: timedelta) -> bool:
            self._after = Setting.of([broken, *rules[1:]] if moment < minutes(15) else rules, None)
            return await super()._restart(moment)

    where = Setting.of(rules, None)
    assert told(asyncio.run(Twice(script, where, where).play())) == [
        ("0:00:00", "first_notification", ["Paused"], []),
        ("0:05:00", "first_notification", ["Unhealthy"], []),
        ("0:10:00", "first_notification", ["Quarantined"], []),
        ("0:15:00", "all_resolved", [], ["Paused resolved"]),
        ("0:15:00", "all_resolved", [], ["Unhealthy resolved"]),
    ]


def test_four_weeks_of_a_quarantine_and_all_shipped_rules() -> None:
    """The clock is virtual: what takes 29 days takes no time worth a word, and misses no day."""
    rules = load_rules(sorted((Path(__file__).resolve().parents[2] / "rules").glob("*.yaml"))).rules
    script = Script(
        name="weeks", interval=timedelta(hours=6), jobs=(job("Active", "Quarantine(TooManyDeletes) x112", "Active"),)
    )

    course = play(script, Setting.of(rules, None))

    reminders = [one for one in course.heard if one.reason is Reason.REPEAT and one.names == ("JobQuarantined",)]
    assert len(reminders) == 27
