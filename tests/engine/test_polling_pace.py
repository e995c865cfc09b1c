"""Rounds that leave out whom nothing new is expected of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.alerts.tally import Tally
from alertd.metrics import Figures
from alertd.model.reading import Ok
from alertd.model.resources import (
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationStatus,
)

from .site import FAILS, INTERVAL, START, Site, job

pytestmark = pytest.mark.anyio


async def test_a_job_is_looked_at_when_its_run_is_expected() -> None:
    site = Site(added=timedelta(minutes=20))
    site.directory.answers = {"a": job("Active", every=timedelta(minutes=15), ended=START)}
    await site.round()

    looks = [number for number in range(1, 7) if await site.round()]

    assert looks == [3, 4, 5, 6], "from then on in every round, until the run is seen"


async def test_no_look_is_put_off_beyond_the_bound() -> None:
    site = Site(added=timedelta(minutes=20))
    site.directory.answers = {"a": job("Active", every=timedelta(hours=9), ended=START)}
    await site.round()

    looks = [number for number in range(1, 16) if await site.round()]

    assert looks == [5, 10, 15], "five minutes, as in every round, and twenty more"


async def test_an_alert_whose_hold_runs_out_is_watched_and_one_that_fires_waits_for_news() -> None:
    site = Site(added=timedelta(minutes=20))
    site.directory.answers = {"a": job("Paused")}

    looks = [number for number in range(14) if await site.round()]

    assert looks == [0, 1, 2, 3, 8, 13]
    assert await site.alerts() == {"PausedLong": "firing"}


async def test_a_restart_forgets_no_rest() -> None:
    site = Site(added=timedelta(minutes=20))
    site.directory.answers = {"a": job("Paused")}
    await site.rounds(4)

    looks = []
    for number in range(10):
        site.restart()
        looks += [number] if await site.round() else []

    assert looks == [4, 9]


async def test_a_slow_cron_keeps_the_bound() -> None:
    """Called every fifteen minutes, each second round would come too late."""
    site = Site(added=timedelta(minutes=20))
    site.directory.answers = {"a": job("Active", every=timedelta(hours=9), ended=START)}
    await site.round()

    looks = []
    for number in range(1, 7):
        site.clock.at = START + number * timedelta(minutes=15)
        looks += [number] if await site.round() else []

    assert looks == [2, 4, 6]


async def test_one_that_fails_is_asked_in_every_round_and_one_that_works_beside_it() -> None:
    """A round that asked none but the one that never answers would be a failed one, and the tenant would look unreachable."""
    site = Site(added=timedelta(hours=1))
    idle = job("Active", every=timedelta(hours=9), ended=START)
    site.directory.answers = {"fails": FAILS} | {f"sp-{number}": idle for number in range(3)}
    await site.round()

    asked = [await site.round() for _ in range(9)]

    assert all("fails" in round_ and len(round_) == 2 for round_ in asked)
    assert {key for round_ in asked for key in round_} == set(site.directory.answers), "each in its turn"
    assert await site.alerts() == {"Partial": "firing"}


async def test_a_round_in_which_nothing_is_expected_asks_nobody() -> None:
    site = Site(added=timedelta(hours=1))
    site.directory.answers = {"a": job("NotConfigured"), "b": job("NotConfigured")}

    first, second = await site.round(), await site.round()

    assert (len(first), second) == (2, [])
    assert site.tally == Tally(rested=2, known=2)
    assert b'alertd_readings_total{outcome="rested"} 2.0' in site.metrics.exposition(Figures())


async def test_a_tenant_that_cannot_be_reached_is_told_of_within_the_bound() -> None:
    site = Site(added=timedelta(minutes=20))
    site.directory.answers = {f"sp-{number}": job("NotConfigured") for number in range(3)}
    await site.round()
    site.directory.answers = dict.fromkeys(site.directory.answers, FAILS)

    seen = [(await site.rounds(1)) and (await site.alerts()).get("Unreachable") for _ in range(7)]

    assert seen.index("firing") == 6, "the look that the bound forces, and two rounds more"


# Whatever jobs do: what is told is the same, and no later than promised.

ADDED = timedelta(minutes=20)
_LONG = (
    10  # rounds that a state lasts at least: longer than the hold and the bound together, so that no look can miss it
)
_CODES = st.sampled_from(["Active", "Quarantine", "Paused"])
_lives = st.lists(
    st.tuples(_CODES, st.integers(_LONG, 2 * _LONG), st.sampled_from([5, 20, 240])), min_size=1, max_size=4
)


def _said(life: list[tuple[str, int, int]], number: int) -> Ok:
    """Give what a job answers in a round: its code, and a run that ended as its schedule wants it, or the attempts of its quarantine."""
    began = 0
    for code, rounds, every in life:
        if number < began + rounds or (code, rounds, every) == life[-1]:
            break
        began += rounds
    every_rounds = max(1, every // 5)
    latest = began + (number - began) // every_rounds * every_rounds
    ended = START + latest * INTERVAL
    if code != "Quarantine":
        return job(code, every=timedelta(minutes=every), ended=ended)
    quarantine = SynchronizationQuarantine(nextAttempt=ended + timedelta(minutes=every))
    return Ok(jobs=(SynchronizationJob(id="J.1", status=SynchronizationStatus(code=code, quarantine=quarantine)),))


async def _told(lives: dict[str, list[tuple[str, int, int]]], added: timedelta) -> list[tuple[str, list[Any]]]:
    """Poll until all states have been seen; gives each alert's transitions."""
    site = Site(added=added)
    for number in range(max(sum(rounds for _, rounds, _ in life) for life in lives.values()) + 2 * _LONG):
        site.directory.answers = {key: _said(life, number) for key, life in lives.items()}
        await site.round()
    told: dict[str, list[Any]] = {}
    async with site.store.reading() as reader:
        for entry in await reader.transitions():
            told.setdefault(f"{entry.rule} {entry.service_principal_id}", []).append((entry.after, entry.at))
    return sorted(told.items())


@settings(max_examples=settings.default.max_examples // 4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lives=st.dictionaries(st.sampled_from(["a", "b", "c"]), _lives, min_size=1))
async def test_patience_changes_no_alert_and_delays_none_beyond_the_bound(
    lives: dict[str, list[tuple[str, int, int]]],
) -> None:
    at_once, patient = await _told(lives, timedelta(0)), await _told(lives, ADDED)

    assert [(name, [after for after, _ in moves]) for name, moves in patient] == [
        (name, [after for after, _ in moves]) for name, moves in at_once
    ]
    for (_, early), (_, late) in zip(at_once, patient, strict=True):
        for (_, before), (_, after) in zip(early, late, strict=True):
            assert timedelta(0) <= after - before <= ADDED
