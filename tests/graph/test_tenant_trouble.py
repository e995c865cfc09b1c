"""A tenant that throttles, breaks or says odd things, through real TLS, real MSAL and the real transport."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from alertd.errors import PollErrorKind
from alertd.graph.settings import HttpSettings
from alertd.graph.tenant import GraphClients, GraphTenant
from alertd.model.reading import Failed, Ok
from alertd.simulator.odata import Answer, Drop, Hang, error, html, ok, throttled
from alertd.simulator.server import SimulatorServer
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedTenant, Throttle

from .contoso import GOOD, add_principals, batches, named, told

pytestmark = pytest.mark.anyio

Connect = Callable[..., GraphTenant]
PERMISSION, THROTTLED, SERVER, MALFORMED = (
    PollErrorKind.PERMISSION,
    PollErrorKind.THROTTLED,
    PollErrorKind.SERVER,
    PollErrorKind.MALFORMED,
)
NETWORK, TIMEOUT = PollErrorKind.NETWORK, PollErrorKind.TIMEOUT


class TestThrottling:
    async def test_only_throttled_parts_are_asked_again_after_the_longest_wait(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, clock: Any, deadline: datetime
    ) -> None:
        named(contoso, "Salesforce").script.following.append(throttled(2.128))
        named(contoso, "Box").script.following.append(throttled(0.5))

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD
        assert clock.slept == [2.128]
        assert [len(batch) for batch in batches(simulator)] == [3, 2]

    async def test_a_wait_beyond_the_round_ends_as_throttled_at_once(
        self, graph: GraphTenant, contoso: SimulatedTenant, clock: Any, deadline: datetime
    ) -> None:
        named(contoso, "Box").script.always = throttled(86_400)

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD | {"Box": THROTTLED}
        assert clock.slept == []

    async def test_a_503_that_asks_for_longer_than_the_round_is_throttled_too(
        self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        named(contoso, "Box").script.always = error(503, "x", "", headers={"Retry-After": "900"})

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD | {"Box": THROTTLED}

    async def test_one_that_stays_throttled_is_asked_until_the_round_ends(
        self, graph: GraphTenant, contoso: SimulatedTenant, clock: Any, deadline: datetime
    ) -> None:
        named(contoso, "Box").script.always = throttled(60)

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD | {"Box": THROTTLED}
        assert clock.slept == [60, 60, 60, 60]
        assert clock.now() < deadline

    async def test_the_whole_batch_may_be_throttled(
        self, graph: GraphTenant, contoso: SimulatedTenant, clock: Any, deadline: datetime
    ) -> None:
        contoso.script.following.extend(
            [throttled(3), error(424, "FailedDependency", ""), error(429, "TooManyRequests", "")]
        )

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD
        assert clock.slept == [3, 2, 4]

    async def test_retry_after_as_a_date(
        self, graph: GraphTenant, contoso: SimulatedTenant, clock: Any, deadline: datetime
    ) -> None:
        contoso.script.following.append(error(503, "x", "", headers={"Retry-After": "Mon, 05 Jan 2026 09:00:10 GMT"}))

        await graph.read(list(contoso.principals), deadline)

        assert clock.slept == [10]

    async def test_a_tenant_larger_than_its_limit_is_read_in_the_end(
        self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        """Parts count one by one: 60 requests at 25 in 10 seconds."""
        ids = add_principals(contoso, 60)
        contoso.throttle = Throttle(limit=25, window=10, retry_after=4.5)

        readings = await graph.read(ids, deadline)

        assert all(reading == Ok() for reading in readings.values())


class TestTrouble:
    @pytest.mark.parametrize(
        ("answer", "kind", "attempts"),
        [
            pytest.param(error(500, "InternalServerError", ""), SERVER, 4, id="500"),
            pytest.param(error(503, "serviceNotAvailable", ""), SERVER, 4, id="503"),
            pytest.param(html(502), SERVER, 4, id="502 of a gateway"),
            pytest.param(html(504), TIMEOUT, 4, id="504"),
            pytest.param(Drop(), NETWORK, 4, id="dropped"),
            pytest.param(html(), MALFORMED, 1, id="html"),
            pytest.param(ok({}), MALFORMED, 1, id="no batch"),
            pytest.param(Answer(), MALFORMED, 1, id="empty"),
            pytest.param(Answer(status=302, headers={"Location": "/login"}), SERVER, 1, id="redirect"),
            pytest.param(html(404), SERVER, 1, id="404 is no principal's end"),
            pytest.param(error(404, "ResourceNotFound", ""), SERVER, 1, id="nor is Graph's own"),
            pytest.param(error(403, "Authorization_RequestDenied", ""), PERMISSION, 1, id="403"),
        ],
    )
    async def test_a_batch_that_fails_fails_for_all(
        self,
        graph: GraphTenant,
        contoso: SimulatedTenant,
        simulator: Simulator,
        answer: Any,
        kind: PollErrorKind,
        attempts: int,
        deadline: datetime,
    ) -> None:
        contoso.script.always = answer

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == dict.fromkeys(GOOD, kind)
        assert all(isinstance(reading, Failed) and reading.cure for reading in readings.values())
        assert len(batches(simulator)) == attempts

    async def test_it_passes(
        self, graph: GraphTenant, contoso: SimulatedTenant, clock: Any, deadline: datetime
    ) -> None:
        contoso.script.following.extend([Drop(), html(502), error(500, "", "")])

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD
        assert clock.slept == [1, 2, 4]

    async def test_it_hangs(
        self,
        server: SimulatorServer,
        contoso: SimulatedTenant,
        ca_file: Path,
        clock: Any,
        tenant_settings: Any,
        deadline: datetime,
    ) -> None:
        contoso.script.always = Hang()
        clients = GraphClients(HttpSettings(ca_file=ca_file), clock=clock, random=lambda: 0.0)
        clients.settings = HttpSettings(ca_file=ca_file, timeout=0.1)  # signing in may take longer
        graph = clients.tenant(tenant_settings(contoso, server.origin))

        readings = await graph.read(list(contoso.principals), deadline)

        await clients.close()
        assert told(contoso, readings) == dict.fromkeys(GOOD, TIMEOUT)

    async def test_the_server_is_gone(
        self, graph: GraphTenant, contoso: SimulatedTenant, server: SimulatorServer, deadline: datetime
    ) -> None:
        """And back again, at the same address."""
        await graph.read([], deadline)
        await server.stop()
        gone = await graph.read(list(contoso.principals), deadline)
        await server.start()
        back = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, gone) == dict.fromkeys(GOOD, NETWORK)
        assert told(contoso, back) == GOOD

    async def test_a_round_that_is_over_asks_nothing(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, clock: Any
    ) -> None:
        readings = await graph.read(list(contoso.principals), clock.now())

        assert told(contoso, readings) == dict.fromkeys(GOOD, TIMEOUT)
        assert batches(simulator) == []
