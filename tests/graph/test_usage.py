"""What requests come to, and the budget that bounds them, through real TLS and the real transport."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from alertd.errors import PollErrorKind
from alertd.graph.meter import Sent
from alertd.graph.settings import HttpSettings, TenantSettings
from alertd.graph.tenant import GraphClients, GraphTenant
from alertd.model.reading import Failed, NotAsked, Ok
from alertd.model.requests import Requests
from alertd.simulator.odata import Drop, failing, throttled
from alertd.simulator.server import SimulatorServer
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedTenant, Throttle

from .conftest import START, ManualClock

pytestmark = pytest.mark.anyio

Make = Callable[..., GraphTenant]
HOUR = timedelta(hours=1)


@pytest.fixture
def told() -> list[tuple[str, Sent]]:
    return []


@pytest.fixture
async def make(
    ca_file: Path,
    clock: ManualClock,
    server: SimulatorServer,
    contoso: SimulatedTenant,
    tenant_settings: Callable[..., TenantSettings],
    told: list[tuple[str, Sent]],
) -> AsyncIterator[Make]:
    """Make contoso's client with a budget."""
    made: list[GraphClients] = []

    def make(per_minute: int | None = None, concurrency: int = 6) -> GraphTenant:
        settings = HttpSettings(ca_file=ca_file, timeout=5.0, requests_per_minute=per_minute, concurrency=concurrency)
        clients = GraphClients(
            settings, clock=clock, random=lambda: 0.0, told=lambda name, sent: told.append((name, sent))
        )
        made.append(clients)
        return clients.tenant(tenant_settings(contoso, server.origin))

    yield make
    for clients in made:
        await clients.close()


def principals(contoso: SimulatedTenant, count: int) -> list[str]:
    return [contoso.add_principal(f"App {number}").id for number in range(count)]


def parts(simulator: Simulator) -> list[dict[str, object]]:
    """Every part of every batch that was sent."""
    return [part for call in simulator.calls if call.path == "/$batch" for part in json.loads(call.body)["requests"]]


async def test_parts_of_a_batch_are_counted_one_by_one(
    make: Make, contoso: SimulatedTenant, told: list[tuple[str, Sent]]
) -> None:
    graph = make()

    await graph.read(principals(contoso, 45), START + HOUR)

    assert graph.requests == Requests(http=3, counted=45)
    assert {(name, sent.about) for name, sent in told} == {("contoso", "jobs")}
    assert sum((Counter(sent.outcomes) for _, sent in told), Counter()) == {"ok": 45}


async def test_pages_and_discoveries_are_counted(
    make: Make, contoso: SimulatedTenant, told: list[tuple[str, Sent]]
) -> None:
    principals(contoso, 1000)
    graph = make()

    await graph.discover(START + HOUR)

    assert graph.requests == Requests(http=3, counted=3), "two pages, and the application's secrets"
    assert {sent.about for _, sent in told} == {"directory"}


async def test_throttled_parts_and_their_repetition_are_counted(make: Make, contoso: SimulatedTenant) -> None:
    ids = principals(contoso, 5)
    contoso.principals[ids[0]].script.following.append(throttled(2))
    contoso.principals[ids[1]].script.following.append(throttled(1))
    graph = make()

    await graph.read(ids, START + HOUR)

    assert graph.requests == Requests(http=2, counted=7, throttled=2, repeated=2)


async def test_what_was_not_answered_was_asked_all_the_same(
    make: Make, contoso: SimulatedTenant, told: list[tuple[str, Sent]]
) -> None:
    contoso.script.following.extend([Drop(), failing(PollErrorKind.SERVER, directory=False)])
    graph = make()

    readings = await graph.read(principals(contoso, 4), START + HOUR)

    assert all(isinstance(reading, Ok) for reading in readings.values())
    assert graph.requests == Requests(http=3, counted=12, repeated=8)
    assert [dict(sent.outcomes) for _, sent in told] == [{"network": 4}, {"server": 4}, {"ok": 4}]


async def test_every_part_says_that_it_may_wait(make: Make, contoso: SimulatedTenant, simulator: Simulator) -> None:
    """Graph throttles parts one by one, so the envelope's header alone would say nothing of them."""
    await make().read(principals(contoso, 21), START + HOUR)

    assert [part["headers"] for part in parts(simulator)] == [{"x-ms-throttle-priority": "Low"}] * 21
    assert {call.headers["x-ms-throttle-priority"] for call in simulator.calls if call.path == "/$batch"} == {"Low"}


async def test_a_budget_spreads_requests_over_the_round(
    make: Make, contoso: SimulatedTenant, clock: ManualClock
) -> None:
    """Graph allows fifty a minute here, and we take no more: nothing is ever throttled."""
    contoso.throttle = Throttle(limit=50, window=60)
    graph = make(per_minute=50, concurrency=1)

    readings = await graph.read(principals(contoso, 130), START + timedelta(minutes=5))

    assert all(isinstance(reading, Ok) for reading in readings.values())
    assert graph.requests.throttled == 0
    assert clock.now() - START == timedelta(minutes=2), "48 in three batches, 48, and the rest"


async def test_whom_the_round_has_no_room_for_is_not_asked(
    make: Make, contoso: SimulatedTenant, simulator: Simulator
) -> None:
    """Those first in line are asked; the others are no failure, and no request is wasted on them."""
    ids = principals(contoso, 128)

    readings = await make(per_minute=50).read(ids, START + timedelta(seconds=90))

    assert [type(readings[key]) for key in ids] == [Ok] * 96 + [NotAsked] * 32
    assert len(parts(simulator)) == 96


async def test_a_budget_below_a_batch_makes_smaller_batches(make: Make, contoso: SimulatedTenant) -> None:
    graph = make(per_minute=7)

    readings = await graph.read(principals(contoso, 14), START + timedelta(minutes=2))

    assert graph.requests == Requests(http=2, counted=14)
    assert all(isinstance(reading, Ok) for reading in readings.values())


async def test_a_throttled_part_for_which_no_room_is_left_stays_throttled(make: Make, contoso: SimulatedTenant) -> None:
    """It was asked: to call it not asked would hide the refusal."""
    ids = principals(contoso, 10)
    contoso.principals[ids[3]].script.always = throttled(1)

    readings = await make(per_minute=10).read(ids, START + timedelta(seconds=50))

    (failed,) = [reading for reading in readings.values() if not isinstance(reading, Ok)]
    assert isinstance(failed, Failed)
    assert failed.kind is PollErrorKind.THROTTLED


async def test_a_discovery_that_the_budget_ends_is_incomplete_and_says_why(
    make: Make, contoso: SimulatedTenant
) -> None:
    principals(contoso, 2500)

    discovery = await make(per_minute=2).discover(START + timedelta(seconds=50))

    assert (discovery.complete, len(discovery.principals)) == (False, 1998)
    assert discovery.error is not None
    assert "max_requests_per_minute" in discovery.error.cure


async def test_no_more_batches_are_under_way_than_may_be(
    make: Make, contoso: SimulatedTenant, simulator: Simulator
) -> None:
    """Readings are given as they come, and nothing is asked ahead of them: a large tenant is never held whole."""
    graph = make(concurrency=2)
    stream = graph.readings(principals(contoso, 200), START + HOUR)

    first = await anext(stream)
    sent = len(parts(simulator))
    await stream.aclose()

    assert len(first) == 20
    assert sent <= 60, "one that is given, and two under way"
