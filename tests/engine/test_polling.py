"""Rounds of one tenant over a real store: who is asked, who is left out, and what a round costs at Graph."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
import structlog.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.alerts.book import RuleBook
from alertd.alerts.sighting import Watched
from alertd.alerts.tally import Tally
from alertd.engine.polling import Polling
from alertd.engine.rounds import Rounds
from alertd.errors import PollErrorKind
from alertd.graph.budget import Budget
from alertd.graph.credentials import ClientSecret
from alertd.graph.discovery import Discovery
from alertd.graph.settings import HttpSettings, TenantSettings
from alertd.graph.tenant import GraphClients
from alertd.metrics import Figures, Metrics
from alertd.model.reading import Failed, Known, NotAsked, Ok, Reading
from alertd.model.requests import Requests
from alertd.model.resources import (
    ServicePrincipal,
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.secret import Secret
from alertd.notify.group import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.simulator.simulator import Simulator
from alertd.store.memory import MemoryStore

from ..core.tenant import annotate, rules

pytestmark = pytest.mark.anyio

START = datetime.fromisoformat("2026-01-05T09:00:00Z")
INTERVAL = timedelta(minutes=5)
KEY = "global/t-1"
FAILS = Failed(kind=PollErrorKind.SERVER)
_RULES = """
groups:
  - name: tests
    rules:
      - {alert: Quarantined, when: status.code == "Quarantine", clear_when: status.code == "Active"}
      - {alert: PausedLong, when: status.code == "Paused", for: 15m}
  - name: tenants
    scope: tenant
    rules:
      - {alert: Unreachable, when: tenant.consecutivePollFailures >= 3}
      - {alert: Partial, when: tenant.pollCoverage < 1 and tenant.consecutivePollFailures == 0}
"""


ROUTING = Routing(
    root=Route(
        id="",
        receiver="nobody",
        group_by=("tenant",),
        pace=Pace(group_wait=INTERVAL, group_interval=INTERVAL, repeat_interval=INTERVAL),
    ),
    receivers={},
)


@attrs.define
class ManualClock:
    """It stands still until it is moved."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@attrs.define
class Directory:
    """A tenant's service principals, each with its jobs or the failure it answers with. budget: requests a minute."""

    clock: ManualClock
    answers: dict[str, Reading] = attrs.field(factory=dict)
    budget: Budget | None = None
    seconds: float = 0  # that an answer takes
    breaks_after: int | None = None
    asked: list[list[str]] = attrs.field(factory=list)  # of each round
    requests: Requests = attrs.field(factory=Requests)
    credential_expires_at: datetime | None = None

    async def listing(self, deadline: datetime) -> AsyncGenerator[Discovery, None]:
        """List all, one in a part; `breaks_after` so many."""
        for number, key in enumerate(self.answers):
            if number == self.breaks_after:
                yield Discovery(complete=False, error=FAILS)
                return
            yield Discovery(principals=(ServicePrincipal(id=key, displayName=key),))

    async def readings(
        self, principal_ids: Iterable[str], deadline: datetime, known: Known
    ) -> AsyncGenerator[Mapping[str, Reading], None]:
        """Give the answers one by one, as far as the budget goes."""
        for key in principal_ids:
            now = self.clock.now()
            if self.budget is not None and self.budget.room(now) < 1:
                yield {key: NotAsked()}
                continue
            if self.budget is not None:
                self.budget.spend(1, now)
            self.asked[-1].append(key)
            self.requests += Requests(http=1, counted=1)
            self.clock.at += timedelta(seconds=self.seconds)
            yield {key: self.answers[key]}

    def room(self, now: datetime) -> int | None:
        """Give what is left of the budget."""
        return None if self.budget is None else self.budget.room(now)


class Site:
    """A directory that is polled every five minutes."""

    def __init__(self, *, budget: int | None = None, added: timedelta = timedelta(0)) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.metrics = Metrics(process=False)
        self.directory = Directory(self.clock, budget=None if budget is None else Budget(budget))
        self._added = added
        self.polling = self._made()

    def restart(self) -> None:
        """Make everything but the store anew."""
        self.polling = self._made()

    def _made(self) -> Polling:
        book = RuleBook(rules(_RULES), annotate=annotate)
        return Polling(
            Watched(key=KEY, name="contoso", tenant_id="t-1"),
            self.directory,
            Rounds(self.store, book, ROUTING),
            self.clock,
            interval=INTERVAL,
            discovery_interval=timedelta(hours=6),
            metrics=self.metrics,
            max_added_delay=self._added,
        )

    async def round(self) -> list[str]:
        """Poll, and let five minutes pass; gives who was asked."""
        self.directory.asked.append([])
        began = self.clock.at
        self.tally = await self.polling.round()
        self.clock.at = began + INTERVAL
        return self.directory.asked[-1]

    async def rounds(self, number: int) -> Counter[str]:
        """Poll so many times; gives how often each was asked."""
        return Counter([key for _ in range(number) for key in await self.round()])

    async def alerts(self) -> dict[str, str]:
        async with self.store.reading() as reader:
            return {one.name: one.state.value for one in await reader.alerts()}

    async def evidence(self) -> list[Any]:
        async with self.store.reading() as reader:
            return [one.evidence for one in await reader.alerts()]

    async def tenant(self) -> Any:
        async with self.store.reading() as reader:
            return await reader.tenant(KEY)


def job(code: str, identifier: str = "J.1", *, every: timedelta | None = None, ended: datetime | None = None) -> Ok:
    run = None if ended is None else SynchronizationTaskExecution(state="Succeeded", timeEnded=ended)
    return Ok(
        jobs=(
            SynchronizationJob(
                id=identifier,
                schedule=SynchronizationSchedule(interval=every, state="Active"),
                status=SynchronizationStatus(code=code, lastExecution=run),
            ),
        )
    )


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


# With a budget.


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


# With patience.


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
