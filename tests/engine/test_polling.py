"""Rounds of one tenant over a real store: who is asked, and what a round costs at Graph."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alertd.graph.credentials import ClientSecret
from alertd.graph.settings import HttpSettings, TenantSettings
from alertd.graph.tenant import GraphClients
from alertd.model.reading import Ok
from alertd.model.requests import Requests
from alertd.model.resources import (
    SynchronizationJob,
    SynchronizationStatus,
)
from alertd.model.secret import Secret
from alertd.simulator.simulator import Simulator

from .site import FAILS, INTERVAL, KEY, START, ManualClock, Site, job

pytestmark = pytest.mark.anyio


# Without a budget and without patience: everybody in every round.


async def test_every_round_asks_all_that_have_jobs_and_each_discovery_the_others() -> None:
    site = Site()
    site.directory.answers = {"jobs": job("Active"), "none": Ok(), "fails": FAILS}

    first, second = await site.round(), await site.round()
    site.clock.at = START + timedelta(hours=6)
    third = await site.round()

    assert (sorted(first), sorted(second), sorted(third)) == (
        ["fails", "jobs", "none"],
        ["fails", "jobs"],
        ["fails", "jobs", "none"],
    )


@pytest.mark.parametrize("quiet", [0, 1, 3])
async def test_a_change_lies_within_what_a_message_says_of_it(quiet: int) -> None:
    """It may have come in the very round before, once its principal had answered there: within the seconds between answer and end."""
    site = Site()
    site.directory.seconds = 20
    site.directory.answers = {"first": job("Active"), "second": Ok()}
    for _ in range(1 + quiet):
        await site.round()
    before = site.clock.at - INTERVAL + timedelta(seconds=21)  # the first had answered a second ago

    site.directory.answers["first"] = job("Quarantine")
    await site.round()

    (evidence,) = await site.evidence()
    assert evidence.observed_from <= before <= evidence.observed_to
    assert before - evidence.observed_from < INTERVAL


async def test_a_thousand_jobs_are_committed_together_and_whole_principals_at_that() -> None:
    site = Site()
    for code in ("Active", "Paused"):
        jobs = tuple(job(code, f"J.{number}").jobs[0] for number in range(700))
        site.directory.answers = {f"sp-{number}": Ok(jobs=jobs) for number in range(5)}
        epoch = (await site.tenant()).epoch if code == "Paused" else 0
        await site.round()

    assert (await site.tenant()).epoch - epoch == 3 + 1, "two principals, two, one; and the end of the round"
    assert (await site.tenant()).jobs == 3500


async def test_what_a_round_came_to_at_graph_is_kept() -> None:
    site = Site()
    site.directory.answers = {"a": job("Active"), "b": FAILS}
    await site.rounds(3)

    async with site.store.reading() as reader:
        (usage,) = (await reader.usage(START + INTERVAL)).values()

    assert (usage.rounds, usage.requests, usage.per_job(2)) == (2, 4, 2)


# Discovery in parts.


async def test_a_part_of_a_discovery_is_kept_and_says_nothing_of_the_rest() -> None:
    """The second discovery breaks off: who is not in its part is not gone, and it is tried again in the next round."""
    site = Site()
    site.directory.answers = {"a": job("Active"), "b": job("Active"), "c": job("Active")}
    await site.round()
    site.clock.at = START + timedelta(hours=6)
    site.directory.answers["d"] = job("Active")
    site.directory.breaks_after = 1

    await site.round()
    async with site.store.reading() as reader:
        broken = {one.principal.id: one.listed for one in await reader.principals(KEY)}
    del site.directory.answers["b"]
    site.directory.breaks_after = None
    site.directory.answers["b-gone"] = FAILS
    await site.polling._discover(await site.tenant(), site.clock.at, site.clock.at + INTERVAL)

    async with site.store.reading() as reader:
        whole = {one.principal.id: one.listed for one in await reader.principals(KEY)}
    assert broken == {"a": True, "b": True, "c": True}
    assert whole == {"a": True, "b": False, "b-gone": True, "c": True, "d": True}


async def test_a_tenant_of_which_nothing_is_known_and_whose_discovery_breaks_has_a_failed_round() -> None:
    site = Site()
    site.directory.answers = {"a": job("Active")}
    site.directory.breaks_after = 0

    await site.round()

    assert (site.tally.asked, site.tally.ok, (await site.tenant()).consecutivePollFailures) == (1, 0, 1)
    assert await site.round() == [], "and the discovery is tried again"


# What a poll costs, against the simulated Graph.


@pytest.mark.parametrize("count", [1, 20, 21, 130])
async def test_a_poll_costs_a_batch_for_twenty_principals_and_nothing_more(count: int) -> None:
    """The first round also lists the directory and asks who the application is; no other request is ever made."""
    clock = ManualClock()
    simulator = Simulator(clock=clock)
    tenant = simulator.add_tenant("contoso")
    for number in range(count):
        answer = SynchronizationJob(id=f"J.{number}", status=SynchronizationStatus(code="Active"))
        tenant.add_job(f"App {number}", f"J.{number}", [answer], start=START, interval=INTERVAL)
    clients = GraphClients(HttpSettings(), clock=clock, random=lambda: 0.0)
    async with simulator.serving() as server:
        site = Site()
        settings = TenantSettings(
            name="contoso",
            tenant_id=tenant.id,
            client_id=tenant.client_id,
            credential=ClientSecret(secret=Secret(tenant.secrets[0].text)),
            graph_url=server.origin,
            authority=server.origin,
        )
        site.clock, site.directory = clock, clients.tenant(settings)
        polling = site._made()
        await polling.round()
        clock.at += INTERVAL
        simulator.calls.clear()

        tally = await polling.round()
        await clients.close()

    assert [call.path for call in simulator.calls] == ["/$batch"] * -(-count // 20)
    assert (tally.jobs, tally.requests) == (count, Requests(http=-(-count // 20), counted=count))
