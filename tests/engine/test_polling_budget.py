"""Rounds that have no room for everybody: nobody starves, and nobody looks unreachable for that."""

from __future__ import annotations

from datetime import timedelta

import pytest
import structlog.testing

from alertd.graph.budget import Budget
from alertd.metrics import Figures
from alertd.model.reading import Ok

from .site import FAILS, START, Site, job

pytestmark = pytest.mark.anyio


async def test_a_budget_is_shared_fairly_and_nobody_starves() -> None:
    site = Site(budget=10)
    site.directory.answers = {f"sp-{number:02}": job("Active") for number in range(35)}
    await site.rounds(4)  # until each has had its first turn

    rounds = [await site.round() for _ in range(14)]

    assert all(len(round_) == 10 for round_ in rounds)
    for start in range(11):
        assert {key for round_ in rounds[start : start + 4] for key in round_} == set(site.directory.answers)


async def test_the_order_of_the_line_outlives_a_restart() -> None:
    site = Site(budget=10)
    site.directory.answers = {f"sp-{number:02}": job("Active") for number in range(30)}
    await site.rounds(4)
    first, second = await site.round(), await site.round()

    site.restart()
    third = await site.round()

    assert sorted([*first, *second, *third]) == sorted(site.directory.answers)


async def test_those_without_jobs_that_a_discovery_left_out_get_their_turn() -> None:
    """Else a job that appears in one of them would never be seen."""
    site = Site(budget=10)
    site.directory.answers = {f"sp-{number:02}": Ok() for number in range(30)} | {"jobs": job("Active")}
    await site.rounds(4)
    site.directory.answers["sp-29"] = job("Active")
    site.clock.at = START + timedelta(hours=6)

    asked = await site.rounds(4)

    assert set(asked) == set(site.directory.answers)


async def test_an_alert_about_one_that_fails_stays_while_it_is_left_out() -> None:
    site = Site(budget=10)
    site.directory.answers = {f"sp-{number:02}": job("Active") for number in range(30)} | {"sp-00": FAILS}
    await site.rounds(3)

    seen = [(await site.rounds(1)) and await site.alerts() for _ in range(6)]

    assert seen == [{"Partial": "firing"}] * 6


async def test_a_tenant_whose_line_begins_with_failures_is_not_unreachable() -> None:
    site = Site(budget=2)
    site.directory.answers = {f"fails-{number}": FAILS for number in range(8)} | {"works": job("Active")}
    await site.rounds(6)

    seen = [(await site.rounds(1)) and (await site.alerts())["Unreachable"] for _ in range(20)]

    assert set(seen) == {"resolved"}, "it was, until the first round that asked the one that works"


async def test_a_budget_that_is_too_small_is_told_once_with_its_cure_and_counted() -> None:
    site = Site(budget=10)
    site.directory.answers = {f"sp-{number:02}": job("Active") for number in range(12)}

    with structlog.testing.capture_logs() as log:
        await site.rounds(3)
        site.directory.budget = Budget(50)
        await site.rounds(2)

    told = [entry for entry in log if entry["event"].startswith("poll.budget")]
    assert [(entry["event"], entry["log_level"]) for entry in told] == [
        ("poll.budget_short", "warning"),
        ("poll.budget_enough", "info"),
    ]
    assert (told[0]["left_out"], "max_requests_per_minute" in told[0]["cure"]) == (2, True)
    assert b'alertd_principals_left_out_total{tenant="contoso"} 6.0' in site.metrics.exposition(Figures())
