"""`alertd explain`: what a rule saw, where its alert stands, what holds it back, and who was told, over a store on disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alertd.cli.program import run
from alertd.config import Secrets, load_config
from alertd.errors import PollErrorKind
from alertd.explanation.explaining import explain
from alertd.explanation.plain import plain
from alertd.explanation.words import lines
from alertd.model.reading import Failed, Ok, Reading
from alertd.model.resources import SynchronizationJob, SynchronizationStatus
from alertd.notify.matchers import parse_matcher
from alertd.notify.silences import Silence
from alertd.rehearsal.setting import Setting
from alertd.rules.loader import load_rules
from alertd.store.opening import open_store

from ..backtest.living import START, STEP, Live

_JOB = "contoso/Salesforce/SF.1"
_CONFIG = """\
receivers: [{name: oncall, webhook: [{url: 'http://127.0.0.1:1/h'}]}]
route: {receiver: oncall, group_wait: 0s, group_interval: 1m}
inhibit_rules: [{source_matchers: ['alertname="Quarantined"'], target_matchers: ['alertname="Failing"'], equal: [job_id]}]
rules: [own.yaml]
"""
_RULES = """\
groups:
  - name: own
    rules:
      - alert: Quarantined
        when: status.code == "Quarantine"
        clear_when: status.code == "Active"
      - alert: Failing
        when: job.failureStreak >= params.threshold
        params: {threshold: 2}
        for: 10m
      - alert: Cleared
        when: status.countSuccessiveCompleteFailures == 3
        keep_firing_for: 30m
      - {alert: Changed, event: changed(status.code)}
  - name: tenants
    scope: tenant
    rules:
      - {alert: Unreachable, when: tenant.consecutivePollFailures >= 2}
"""


def answers(*steps: tuple[str, int] | PollErrorKind | None) -> list[Mapping[str, Reading]]:
    """Give one round for each step: code and failures, an error, or a job that is not listed."""
    return [{"salesforce": _answer(step)} for step in steps]


def _answer(step: tuple[str, int] | PollErrorKind | None) -> Reading:
    if isinstance(step, PollErrorKind):
        return Failed(kind=step)
    if step is None:
        return Ok()
    status = SynchronizationStatus(code=step[0], countSuccessiveCompleteFailures=step[1])
    return Ok(jobs=(SynchronizationJob(id="SF.1", status=status),))


Explain = Callable[..., dict[str, Any]]


@pytest.fixture
def after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Explain]:
    """Let a daemon live through rounds; give a way to explain the job, at the end or at a step."""
    monkeypatch.chdir(tmp_path)
    Path("alertd.yaml").write_text(_CONFIG, encoding="utf-8")
    Path("own.yaml").write_text(_RULES, encoding="utf-8")

    def lived(rounds: Sequence[Mapping[str, Reading]], silences: Sequence[Silence] = ()) -> Explain:
        config = load_config("alertd.yaml", secrets=Secrets.IGNORE)
        setting = Setting.of(load_rules([Path("own.yaml")]).rules, config)
        last = START + (len(rounds) - 1) * STEP

        async def live() -> None:
            store = await open_store("sqlite:///alertd.db", tmp_path)
            async with store.transaction() as transaction:
                for silence in silences:
                    await transaction.save_silence(silence)
            await Live(store, setting, ["salesforce"]).run(rounds)
            await store.close()

        async def explained(rule: str | None, step: int | None) -> dict[str, Any]:
            store = await open_store("sqlite:///alertd.db", tmp_path)
            at = None if step is None else START + step * STEP
            async with store.reading() as reader:
                found = await explain(reader, config, setting, _JOB, rule, at=at, now=last + timedelta(seconds=30))
            await store.close()
            return {**plain(found), "text": "\n".join(lines(found))}

        asyncio.run(live())
        return lambda rule=None, step=None: asyncio.run(explained(rule, step))

    return lived


def only(found: dict[str, Any]) -> dict[str, Any]:
    """Give the one rule that was asked for."""
    (rule,) = found["rules"]
    return dict(rule)


def minute(text: str | None) -> str | None:
    return text and text[11:16]


def test_a_condition_is_a_tree_of_values(after: Callable[..., Explain]) -> None:
    found = after(answers(("Active", 0)))("Failing")

    (condition,) = only(found)["conditions"]
    left, right = condition["tree"]["children"]
    assert (condition["key"], condition["holds"]) == ("when", False)
    assert (left["text"], left["value"]) == ("job.failureStreak", 0)
    assert (right["text"], right["value"]) == ("params.threshold", 2)
    assert (
        "job.failureStreak >= params.threshold is false: job.failureStreak is 0, params.threshold is 2" in found["text"]
    )


def test_a_comparison_with_a_constant_shows_what_was_read_instead(after: Callable[..., Explain]) -> None:
    text = after(answers(("Active", 0)))("Quarantined")["text"]

    assert '    status.code == "Quarantine" is false: status.code is "Active"' in text.splitlines()


def test_an_alert_says_since_when_it_fires_and_who_was_told(after: Callable[..., Explain]) -> None:
    found = only(after(answers(("Active", 0), ("Quarantine", 0), ("Quarantine", 0)))("Quarantined"))

    assert (found["state"], minute(found["since"]), found["episode"]) == ("firing", "09:05", 1)
    assert [(one["integration_id"], one["episode"]) for one in found["knows"]] == [("oncall/webhook/default", 1)]
    (told,) = found["told"]
    assert (told["reason"], told["state"], minute(told["ended_at"])) == ("first_notification", "delivered", "09:05")
    assert found["held_back"] == []
    assert found["next_tick"] > "2026-01-05T09:10"


def test_a_pending_alert_says_until_when_its_condition_must_hold(after: Callable[..., Explain]) -> None:
    found = only(after(answers(("Active", 2), ("Active", 2)))("Failing"))

    assert found["state"] == "pending"
    assert [(one["by"], minute(one["until"])) for one in found["held_back"]] == [("for", "09:10")]


def test_an_alert_that_stays_says_until_when(after: Callable[..., Explain]) -> None:
    found = only(after(answers(("Active", 3), ("Active", 0), ("Active", 0)))("Cleared"))

    assert found["state"] == "firing"
    assert [(one["by"], minute(one["until"])) for one in found["held_back"]] == [("keep_firing_for", "09:35")]


def test_an_alert_whose_end_has_a_condition_of_its_own_says_so(after: Callable[..., Explain]) -> None:
    found = only(after(answers(("Quarantine", 0), ("Paused", 0)))("Quarantined"))

    assert [one["by"] for one in found["held_back"]] == ["clear_when"]
    assert [(one["key"], one["holds"]) for one in found["conditions"]] == [("when", False), ("clear_when", False)]


def test_what_another_alert_holds_back_names_that_one(after: Callable[..., Explain]) -> None:
    found = only(after(answers(*[("Quarantine", 4)] * 4))("Failing"))

    assert found["state"] == "firing"
    assert [(one["by"], one["detail"]) for one in found["held_back"]] == [
        ("inhibited", "Quarantined fires (contoso/Salesforce/SF.1)")
    ]
    assert found["told"] == []


def test_what_a_silence_holds_back_names_it_and_its_author(after: Callable[..., Explain]) -> None:
    silence = Silence(
        id="s-1",
        matchers=(parse_matcher('alertname="Quarantined"'),),
        starts_at=START,
        ends_at=START + timedelta(hours=4),
        created_by="ada",
        comment="renewing the certificate",
    )
    found = only(after(answers(("Quarantine", 0)), [silence])("Quarantined"))

    assert [(one["by"], minute(one["until"]), one["detail"]) for one in found["held_back"]] == [
        ("silenced", "13:00", "ada: renewing the certificate (s-1)")
    ]


@pytest.fixture
def escalating(after: Callable[..., Explain]) -> Callable[..., Explain]:
    """The same with two steps, at ten minutes and at an hour."""
    steps = "[{after: 10m, receiver: managers}, {after: 1h, receiver: director}]"
    config = _CONFIG.replace("group_interval: 1m", f"group_interval: 1m, escalate: {steps}")
    others = ", ".join(
        f"{{name: {name}, webhook: [{{url: 'http://127.0.0.1:1/h'}}]}}" for name in ("managers", "director")
    )
    Path("alertd.yaml").write_text(config.replace("receivers: [", f"receivers: [{others}, "), encoding="utf-8")
    return after


def test_an_alert_says_who_hears_of_it_later(escalating: Callable[..., Explain]) -> None:
    early = escalating(answers(("Active", 0), ("Quarantine", 0)))("Quarantined")

    assert [(one["receiver"], one["reason"], minute(one["at"])) for one in only(early)["coming"]] == [
        ("managers", "escalation", "09:15"),
        ("director", "escalation", "10:05"),
    ]
    assert (
        "  escalation to managers at 2026-01-05 09:15:00Z, unless somebody acknowledges it"
        in early["text"].splitlines()
    )


def test_who_has_heard_of_it_later_is_named_among_those_that_know(escalating: Callable[..., Explain]) -> None:
    found = only(escalating(answers(*[("Quarantine", 0)] * 4))("Quarantined"))

    assert [one["receiver"] for one in found["coming"]] == ["director"]
    assert [one["integration_id"] for one in found["knows"]] == ["oncall/webhook/default", "managers/webhook/default"]


def test_reminders_of_a_deadline_are_foretold_to_those_that_know_too(after: Callable[..., Explain]) -> None:
    """The job has been in quarantine from 09:05 on."""
    steps = "[{before: 7d}, {before: 28d}]"
    config = _CONFIG.replace("group_interval: 1m", f"group_interval: 1m, deadline_reminders: {steps}")
    Path("alertd.yaml").write_text(config, encoding="utf-8")

    found = after(answers(("Active", 0), ("Quarantine", 0), ("Quarantine", 0)))("Quarantined")

    assert [(one["receiver"], one["reason"], one["at"]) for one in only(found)["coming"]] == [
        ("oncall", "reminder_deadline", "2026-01-26T09:05:00Z")
    ]
    assert "  reminder_deadline to oncall at 2026-01-26 09:05:00Z" in found["text"].splitlines()


def test_what_somebody_has_taken_on_says_that_nobody_else_hears_of_it(
    escalating: Callable[..., Explain], capsys: pytest.CaptureFixture[str]
) -> None:
    explained = escalating(answers(("Active", 0), ("Quarantine", 0)))
    assert run(["ack", "Quarantined", "--author", "ada", "--comment", "on it"]) == 0
    capsys.readouterr()

    found = only(explained("Quarantined"))

    assert found["coming"] == []
    assert [(one["by"], one["detail"]) for one in found["held_back"]] == [
        ("acknowledged", "no escalation to managers"),
        ("acknowledged", "no escalation to director"),
        ("acknowledged", "ada: on it; no reminders to oncall/webhook/default"),
    ]


def test_a_job_that_cannot_be_read_is_frozen_and_shows_what_was_seen_last(after: Callable[..., Explain]) -> None:
    error = PollErrorKind.PERMISSION
    found = after(answers(("Active", 2), error, error, error))("Failing")

    assert (minute(found["looked_at"]), found["reading"]["outcome"]) == ("09:00", "permission")
    assert only(found)["state"] == "pending"
    assert [one["by"] for one in only(found)["held_back"]] == ["frozen", "for"]
    assert "cannot be read since 2026-01-05 09:05:00Z (permission): frozen" in found["text"]


def test_the_past_is_explained_from_history(after: Callable[..., Explain]) -> None:
    """Values, state and messages as they were then, not as they are now."""
    told = after(answers(("Active", 0), ("Quarantine", 1), ("Quarantine", 1), ("Active", 0)))

    before, during, now = (told("Quarantined", step) for step in (0, 2, None))
    assert [only(one)["state"] for one in (before, during, now)] == ["inactive", "firing", "resolved"]
    assert minute(only(during)["since"]) == "09:05"
    assert [one["reason"] for one in only(during)["told"]] == ["first_notification"]
    assert [one["reason"] for one in only(now)["told"]] == ["first_notification", "all_resolved"]
    assert [only(one)["conditions"][0]["holds"] for one in (before, during, now)] == [False, True, False]


def test_the_past_of_an_inhibited_alert_says_what_was_decided(after: Callable[..., Explain]) -> None:
    told = after(answers(*[("Quarantine", 4)] * 4, ("Active", 0)))

    held = only(told("Failing", 3))["held_back"]

    assert [one["by"] for one in held] == ["inhibited"]


def test_an_event_shows_the_change_at_which_it_was_asked_last(after: Callable[..., Explain]) -> None:
    found = after(answers(("Active", 0), ("Paused", 0), ("Paused", 0), ("Paused", 0)))("Changed")

    (condition,) = only(found)["conditions"]
    assert (only(found)["state"], condition["key"], condition["holds"]) == (None, "event", True)
    assert (minute(found["looked_at"]), minute(found["changed_at"])) == ("09:15", "09:05")
    assert 'changed(status.code) is true: status.code is "Paused", previous.code is "Active"' in found["text"]


def test_a_job_that_is_gone_is_still_known(after: Callable[..., Explain]) -> None:
    found = after(answers(("Quarantine", 0), None, None, None))("Quarantined")

    assert (found["gone"], minute(found["changed_at"])) == (True, "09:10")
    assert [one["reason"] for one in only(found)["told"]] == ["first_notification", "subject_gone"]


def test_the_rules_of_its_tenant_can_be_asked_for(after: Callable[..., Explain]) -> None:
    error = PollErrorKind.AUTH
    told = after(answers(("Active", 0), error, error))

    assert [rule["rule"] for rule in told()["rules"]] == ["Quarantined", "Failing", "Cleared", "Changed"]
    assert (only(told("Unreachable"))["state"], only(told("Unreachable", 1))["state"]) == ("firing", "inactive")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([_JOB, "Quarantine"], "did you mean `Quarantined`?", id="no such rule"),
        pytest.param(["contoso/Salesforce/SF.2"], "did you mean `contoso/Salesforce/SF.1`?", id="no such job"),
        pytest.param(["contos/Salesforce/SF.1"], "did you mean `contoso`?", id="no such tenant"),
        pytest.param(["SF.1"], "expected tenant/displayName/job id", id="no job's name"),
        pytest.param([_JOB, "--at", "2020-01-01"], "it was first seen later", id="before first sight"),
    ],
)
def test_what_cannot_be_explained_is_said(
    after: Callable[..., Explain], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    after(answers(("Active", 0)))

    assert run(["explain", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_command_speaks_to_people_and_to_programs(
    after: Callable[..., Explain], capsys: pytest.CaptureFixture[str]
) -> None:
    after(answers(("Quarantine", 0)))

    assert run(["explain", _JOB, "Quarantined", "--at", START.isoformat()]) == 0
    assert "Quarantined (warning): firing since 2026-01-05 09:00:00Z" in capsys.readouterr().out
    assert run(["explain", _JOB, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["job"] == _JOB
