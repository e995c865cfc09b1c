"""A tenant whose tokens end or are refused, and how alertd behaves on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alertd.errors import PollErrorKind
from alertd.graph.credentials import Certificate, ClientSecret
from alertd.graph.settings import HttpSettings
from alertd.graph.tenant import GraphClients, GraphTenant
from alertd.model.reading import Ok
from alertd.model.secret import Secret
from alertd.simulator.odata import error, failing
from alertd.simulator.server import SimulatorServer
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedTenant

from .contoso import GOOD, add_principals, batches, named, told

pytestmark = pytest.mark.anyio

Connect = Callable[..., GraphTenant]
AUTH, PERMISSION = PollErrorKind.AUTH, PollErrorKind.PERMISSION


class TestTokens:
    async def test_without_a_token_everybody_failed_and_nobody_is_asked(
        self, connect: Connect, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        graph = connect(credential=ClientSecret(secret=Secret("wrong")))

        readings = await graph.read(list(contoso.principals), deadline)
        discovery = await graph.discover(deadline)

        assert told(contoso, readings) == dict.fromkeys(GOOD, AUTH)
        assert discovery.error is not None
        assert (discovery.error.kind, discovery.complete) == (AUTH, False)
        assert "not its ID" in discovery.error.cure
        assert batches(simulator) == []

    async def test_a_certificate_that_cannot_be_read_is_no_crash(
        self, connect: Connect, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        graph = connect(credential=Certificate(path=Path("/nonexistent/app.pem")))

        assert told(contoso, await graph.read(list(contoso.principals), deadline)) == dict.fromkeys(GOOD, AUTH)

    async def test_a_revoked_token_is_replaced_once(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        ids = add_principals(contoso, 100)
        await graph.read(ids[:1], deadline)
        simulator.login.revoke(contoso)

        readings = await graph.read(ids, deadline)

        assert all(reading == Ok() for reading in readings.values())
        assert sum(call.path.endswith("/token") for call in simulator.calls) == 2

    async def test_one_that_is_refused_again_and_again_is_given_up(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        contoso.script.always = failing(AUTH, directory=False)

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == dict.fromkeys(GOOD, AUTH)
        assert len(batches(simulator)) <= 4

    async def test_a_part_may_refuse_the_token(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        named(contoso, "Box").script.following.append(failing(AUTH, directory=False))

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD
        assert [len(batch) for batch in batches(simulator)] == [3, 1]

    async def test_a_claims_challenge_reaches_the_authority(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        challenge = 'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
        headers = {"WWW-Authenticate": challenge}
        contoso.script.following.append(error(401, "InvalidAuthenticationToken", "", headers=headers))

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD
        assert [json.loads(claims) for claims in simulator.login.claims_asked] == [{"access_token": {}}]

    async def test_lost_consent_is_a_matter_of_permission(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        """A 401 without a message on jobs, a 403 on the directory; and no loop of fresh tokens."""
        contoso.roles.clear()

        readings = await graph.read(list(contoso.principals), deadline)
        discovery = await graph.discover(deadline)

        assert told(contoso, readings) == dict.fromkeys(GOOD, PERMISSION)
        assert discovery.error is not None
        assert discovery.error.kind is PERMISSION
        assert "Application.Read.All" in discovery.error.cure
        assert sum(call.path.endswith("/token") for call in simulator.calls) == 1

    async def test_probe_tells_what_the_token_may(
        self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        contoso.roles.add("Synchronization.ReadWrite.All")

        probe = await graph.probe(deadline)

        assert probe.error is None
        assert probe.roles is not None
        assert "Synchronization.ReadWrite.All" in probe.roles
        assert probe.clock_skew is not None

    async def test_probe_tells_what_is_wrong(
        self, connect: Connect, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        contoso.roles.clear()

        refused = await connect(credential=ClientSecret(secret=Secret("wrong"))).probe(deadline)
        forbidden = await connect().probe(deadline)

        assert refused.error is not None
        assert forbidden.error is not None
        assert (refused.error.kind, forbidden.error.kind, forbidden.roles) == (AUTH, PERMISSION, ())

    async def test_a_header_for_another_service(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        """Each scope has its own token; Graph's is the one we poll with."""
        await graph.read(list(contoso.principals), deadline)
        own = await graph.header("https://graph.microsoft.com/.default")
        flow = await graph.header("https://service.flow.microsoft.com/.default")
        renewed = await graph.header("https://service.flow.microsoft.com/.default", rejected=flow)

        assert len({own, flow, renewed}) == 3
        assert sum(call.path.endswith("/token") for call in simulator.calls) == 3


class TestManners:
    async def test_we_say_who_we_are_and_that_we_can_wait(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        await graph.read(list(contoso.principals), deadline)

        (call,) = [call for call in simulator.calls if call.path == "/$batch"]
        assert call.headers["x-ms-throttle-priority"] == "Low"
        assert call.headers["user-agent"].startswith("alertd/")
        assert len(call.headers["client-request-id"]) == 36

    async def test_no_more_batches_than_allowed_are_in_flight(
        self,
        server: SimulatorServer,
        contoso: SimulatedTenant,
        ca_file: Path,
        clock: Any,
        tenant_settings: Any,
        deadline: datetime,
        monkeypatch: Any,
    ) -> None:
        ids = add_principals(contoso, 200)
        clients = GraphClients(HttpSettings(ca_file=ca_file, concurrency=2), clock=clock)
        graph = clients.tenant(tenant_settings(contoso, server.origin))
        flying, most = 0, 0
        send = graph._client.transport.send

        async def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            try:
                return await send(*arguments, **options)
            finally:
                flying -= 1

        monkeypatch.setattr(graph._client.transport, "send", counted)
        await graph.read(ids, deadline)

        await clients.close()
        assert most == 2

    async def test_two_tenants_are_told_apart_by_their_tokens(
        self,
        clients: GraphClients,
        simulator: Simulator,
        server: SimulatorServer,
        contoso: SimulatedTenant,
        tenant_settings: Any,
        add_job: Any,
        deadline: datetime,
    ) -> None:
        fabrikam = simulator.add_tenant("fabrikam")
        add_job(fabrikam, "Salesforce", "SF.1", "Paused")
        graphs = [clients.tenant(tenant_settings(tenant, server.origin)) for tenant in (contoso, fabrikam)]

        codes = []
        for graph, tenant in zip(graphs, (contoso, fabrikam), strict=True):
            reading = (await graph.read([named(tenant, "Salesforce").id], deadline))[named(tenant, "Salesforce").id]
            assert isinstance(reading, Ok)
            codes.append(reading.jobs[0].status.code if reading.jobs[0].status else None)

        assert codes == ["Active", "Paused"]

    async def test_graph_url_may_carry_a_path(
        self, connect: Connect, contoso: SimulatedTenant, server: SimulatorServer, deadline: datetime
    ) -> None:
        graph = connect(graph_url=f"{server.origin}/gateway/graph")

        assert told(contoso, await graph.read(list(contoso.principals), deadline)) == GOOD
        assert len((await graph.discover(deadline)).principals) == 3

    async def test_readings_are_values_that_can_be_written_down(
        self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        readings = await graph.read(list(contoso.principals), deadline)

        for reading in readings.values():
            assert isinstance(reading, Ok)
            for job in reading.jobs:
                assert msgspec.convert(msgspec.to_builtins(job, enc_hook=dict), dict)["id"] == job.id
