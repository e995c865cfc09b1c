"""What a replay leaves unread is missed by nobody: each guard on its own, beside the daemon that asked at every round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import attrs
import pytest

from alertd.backtest.runner import Played
from alertd.errors import PollErrorKind
from alertd.model.resources import EntryCounts, SynchronizationStatus
from alertd.rehearsal.setting import Setting
from alertd.store.memory import MemoryStore

from .test_replay import lived, replayed, rounds_of, said, setting, status

pytestmark = pytest.mark.anyio

# Steps of a job: a letter is its code, and each step has a count of its own, so that something changes at every round where no rule looks.
_CODES = {"a": "Active", "q": "Quarantine", "p": "Paused"}
_ENDED = 0  # minutes: when the only run ended


def restless(steps: str, ended: int | None = _ENDED) -> list[SynchronizationStatus]:
    """Give a job's statuses, with something new in each."""
    return [
        attrs.evolve(
            status(_CODES[code.lower()], 0, ended, None, pruned=code.isupper()),
            synchronizedEntryCountByType=EntryCounts({"user to User": number + 1}),
        )
        for number, code in enumerate(steps)
    ]


async def both(
    rules: Setting, steps: str, outages: Mapping[str, Mapping[int, PollErrorKind]] | None = None
) -> tuple[Played, Sequence[object], Sequence[object]]:
    """Give a replay, what it told, and what the daemon told."""
    rounds = rounds_of({"alpha": [restless(steps)], "beta": [restless(steps)]}, outages or {}, len(steps))
    store = MemoryStore()
    told = await lived(store, rounds, rules)
    played = await replayed(store, rules, length=len(rounds))
    return played, said(played.outcomes[0].heard), said(told)


async def test_what_nobody_looks_at_is_left_unread() -> None:
    played, found, expected = await both(setting("Quarantined"), "aaaaaaaaaaqqaaaaaaaaaa")

    assert found == expected
    assert played.figures.changes == 44
    assert played.figures.asked < 12, "at first sight, when it changed, and while the alert stood"


async def test_a_moment_that_needs_no_change_of_what_it_looks_at_is_told_at_every_change() -> None:
    _, found, expected = await both(setting("Still"), "aaqqqqaa")

    assert found == expected
    assert len(expected) >= 3


async def test_an_alert_shows_the_job_as_it_is() -> None:
    """A reminder carries what has changed since, though no rule looks at it."""
    rules = setting("Quarantined")
    root = rules.routing.root
    pace = attrs.evolve(root.pace, repeat_interval=timedelta(minutes=10))
    rules = attrs.evolve(rules, routing=attrs.evolve(rules.routing, root=attrs.evolve(root, pace=pace)))

    _, found, expected = await both(rules, "aqqqqqqqa")

    assert found == expected
    assert [row[2] for row in expected] == ["first_notification", "repeat", "repeat", "repeat", "all_resolved"]


@pytest.mark.parametrize("rule", ["Old", "Between", "Restless", "Unlike", "Window", "Worse"])
async def test_what_is_due_by_the_clock_is_asked_at_the_change_of_something_else(rule: str) -> None:
    _, found, expected = await both(setting(rule), "aapqaqaaaapaaa")

    assert found == expected
    assert expected or rule == "Worse"


@pytest.mark.parametrize("rule", ["Old", "Patient", "Between"])
async def test_what_was_due_while_nobody_answered_is_asked_at_the_return(rule: str) -> None:
    outages = {"alpha": dict.fromkeys(range(2, 8), PollErrorKind.SERVER)}

    _, found, expected = await both(setting(rule), "aqqqqqqqqqaaaa", outages)

    assert found == expected
    assert expected


@pytest.mark.parametrize("first", range(1, 6))
async def test_a_change_within_a_full_snapshot_is_seen(first: int) -> None:
    """Every fourth is full, and does not say what changed."""
    steps = "a" * first + "qq" + "aaaa"

    _, found, expected = await both(setting("Changed", "Pruned"), steps.replace("qq", "QQ"))

    assert found == expected
    assert len(expected) >= 3


@pytest.mark.parametrize("rule", ["WithTenant", "Beside"])
async def test_a_rule_that_looks_at_the_tenant_is_asked_when_its_figures_move(rule: str) -> None:
    outages = {"beta": {3: PollErrorKind.SERVER, 4: PollErrorKind.SERVER, 7: PollErrorKind.SERVER}}

    _, found, expected = await both(setting(rule), "aaAaaAAaaA", outages)

    assert found == expected
    assert expected
