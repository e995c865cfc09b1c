"""A tenant, discovered and read through real TLS, real MSAL and the real transport."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alertd.errors import PollErrorKind
from alertd.graph.credentials import Certificate, ClientSecret
from alertd.graph.settings import HttpSettings
from alertd.graph.tenant import GraphClients, GraphTenant
from alertd.model.reading import Failed, Ok, Reading
from alertd.model.secret import Secret
from alertd.simulator.odata import Answer, Drop, Hang, error, failing, html, ok, ok_raw, throttled
from alertd.simulator.server import SimulatorServer
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import PasswordCredential, SimulatedPrincipal, SimulatedTenant, Throttle

pytestmark = pytest.mark.anyio

Connect = Callable[..., GraphTenant]
AUTH, PERMISSION, NOT_FOUND = PollErrorKind.AUTH, PollErrorKind.PERMISSION, PollErrorKind.NOT_FOUND
THROTTLED, SERVER, MALFORMED = PollErrorKind.THROTTLED, PollErrorKind.SERVER, PollErrorKind.MALFORMED
NETWORK, TIMEOUT = PollErrorKind.NETWORK, PollErrorKind.TIMEOUT


def named(contoso: SimulatedTenant, name: str) -> SimulatedPrincipal:
    return next(principal for principal in contoso.principals.values() if principal.display_name == name)


def told(contoso: SimulatedTenant, readings: dict[str, Reading]) -> dict[str, Any]:
    """By display name: the job ids of a good reading, or the kind of a failed one."""
    return {
        contoso.principals[key].display_name: [job.id for job in reading.jobs]
        if isinstance(reading, Ok)
        else reading.kind
        for key, reading in readings.items()
        if isinstance(reading, Ok | Failed)
    }


GOOD = {"Salesforce": ["SF.1"], "Workday": ["WD.1", "WD.2"], "Box": []}


def batches(simulator: Simulator) -> list[list[str]]:
    """The urls of each batch that was sent."""
    bodies = [json.loads(call.body) for call in simulator.calls if call.path == "/$batch"]
    return [[part["url"] for part in body["requests"]] for body in bodies]


def add_principals(tenant: SimulatedTenant, count: int) -> Sequence[str]:
    return [tenant.add_principal(f"App {number}").id for number in range(count)]


class TestDiscovery:
    async def test_everything_is_listed(self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime) -> None:
        discovery = await graph.discover(deadline)

        assert (discovery.complete, discovery.error) == (True, None)
        assert {principal.displayName for principal in discovery.principals} == {"Salesforce", "Workday", "Box"}
        assert {principal.id for principal in discovery.principals} == set(contoso.principals)

    async def test_links_are_followed_to_the_letter(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        """The simulator takes a link only as it gave it."""
        add_principals(contoso, 2500)

        discovery = await graph.discover(deadline)

        assert len(discovery.principals) == 2503
        assert sum(call.path == "/servicePrincipals" for call in simulator.calls) == 3

    @pytest.mark.parametrize(
        ("include", "exclude", "watched"),
        [
            (("*",), (), {"Salesforce", "Workday", "Box"}),
            (("sales*", "BOX"), (), {"Salesforce", "Box"}),
            (("*",), ("Work*",), {"Salesforce", "Box"}),
            (("Box",), ("*",), set()),
            ((), (), set()),
            (("[S]*",), (), {"Salesforce"}),
        ],
        ids=str,
    )
    async def test_what_is_watched(
        self,
        connect: Connect,
        include: tuple[str, ...],
        exclude: tuple[str, ...],
        watched: set[str],
        deadline: datetime,
    ) -> None:
        discovery = await connect(include=include, exclude=exclude).discover(deadline)

        assert {principal.displayName for principal in discovery.principals} == watched
        assert {principal.displayName for principal in discovery.not_watched} == {
            "Salesforce",
            "Workday",
            "Box",
        } - watched

    async def test_an_object_id_is_a_pattern_too(
        self, connect: Connect, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        box = named(contoso, "Box").id

        discovery = await connect(include=(box.upper(),)).discover(deadline)

        assert [principal.id for principal in discovery.principals] == [box]

    async def test_a_page_that_fails_leaves_it_incomplete(
        self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        """What was listed is kept; what was not may still be there."""
        add_principals(contoso, 1000)
        await graph.probe(deadline)
        first = ok(
            {"value": [{"id": "a"}], "@odata.nextLink": "https://evil.example/v1.0/servicePrincipals?$skiptoken=x"}
        )
        contoso.script.following.append(first)

        discovery = await graph.discover(deadline)

        assert ([principal.id for principal in discovery.principals], discovery.complete) == (["a"], False)
        assert discovery.error is not None
        assert (discovery.error.kind, "another host" in discovery.error.message) == (MALFORMED, True)

    async def test_pages_in_a_circle_end(
        self, graph: GraphTenant, contoso: SimulatedTenant, server: SimulatorServer, deadline: datetime
    ) -> None:
        link = f"{server.origin}/v1.0/servicePrincipals?$skiptoken=again"
        contoso.script.always = ok({"value": [], "@odata.nextLink": link})

        discovery = await graph.discover(deadline)

        assert discovery.error is not None
        assert "circle" in discovery.error.message

    async def test_one_that_cannot_be_read_leaves_it_incomplete(
        self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        contoso.script.following.append(ok({"value": [{"id": "a"}, {"id": 5}, {"id": "b", "displayName": None}]}))

        discovery = await graph.discover(deadline)

        assert [principal.id for principal in discovery.principals] == ["a", "b"]
        assert discovery.error is not None
        assert "$.id" in discovery.error.message

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (html(), MALFORMED),
            (failing(PERMISSION, directory=True), PERMISSION),
            (error(400, "Request_UnsupportedQuery", ""), SERVER),
        ],
        ids=["html", "403", "400"],
    )
    async def test_failures(
        self, graph: GraphTenant, contoso: SimulatedTenant, answer: Answer, kind: PollErrorKind, deadline: datetime
    ) -> None:
        contoso.script.always = answer

        discovery = await graph.discover(deadline)

        assert discovery.error is not None
        assert (discovery.error.kind, bool(discovery.error.cure), discovery.complete) == (kind, True, False)

    async def test_the_secrets_end_is_looked_up(
        self, connect: Connect, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        """The app registration shows each secret's beginning and end."""
        end = datetime(2027, 3, 1, tzinfo=UTC)
        contoso.secrets = [
            PasswordCredential(text="abc-secret", ends_at=end),
            PasswordCredential(text="xyz", ends_at=end + timedelta(9)),
        ]
        graph = connect(credential=ClientSecret(secret=Secret("abc-secret")))

        before = graph.credential_expires_at
        await graph.discover(deadline)

        assert (before, graph.credential_expires_at) == (None, end)

    async def test_it_is_null_where_the_directory_does_not_show_it(
        self, graph: GraphTenant, deadline: datetime
    ) -> None:
        await graph.discover(deadline)

        assert graph.credential_expires_at is None


class TestReading:
    async def test_jobs_by_principal(self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime) -> None:
        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD
        workday = readings[named(contoso, "Workday").id]
        assert isinstance(workday, Ok)
        status = workday.jobs[1].status
        assert status is not None
        assert (status.code, status.quarantine and status.quarantine.reason) == ("Quarantine", "TooManyDeletes")
        assert status.steadyStateFirstAchievedTime is None

    async def test_twenty_are_asked_in_a_batch(
        self, graph: GraphTenant, contoso: SimulatedTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        ids = add_principals(contoso, 45)

        readings = await graph.read([*ids, ids[0]], deadline)

        assert sorted(map(len, batches(simulator))) == [5, 20, 20]
        assert list(readings) == list(ids)
        assert all(reading == Ok() for reading in readings.values())

    async def test_nobody_is_asked_for_nothing(self, graph: GraphTenant, deadline: datetime) -> None:
        assert await graph.read([], deadline) == {}

    async def test_an_odd_id_stays_one_segment_of_the_path(
        self, graph: GraphTenant, simulator: Simulator, deadline: datetime
    ) -> None:
        readings = await graph.read(["a/../b?c"], deadline)

        assert isinstance(readings["a/../b?c"], Failed)
        assert batches(simulator) == [["/servicePrincipals/a%2F..%2Fb%3Fc/synchronization/jobs"]]

    async def test_parts_fail_alone(self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime) -> None:
        named(contoso, "Salesforce").script.always = failing(PERMISSION, directory=False)
        gone = "99999999-0000-0000-0000-000000000000"

        readings = await graph.read([*contoso.principals, gone], deadline)

        missing = readings.pop(gone)
        assert told(contoso, readings) == GOOD | {"Salesforce": PERMISSION}
        assert isinstance(missing, Failed)
        assert missing.kind is NOT_FOUND

    async def test_pages_of_jobs_are_read_on(
        self, graph: GraphTenant, contoso: SimulatedTenant, server: SimulatorServer, deadline: datetime
    ) -> None:
        salesforce = named(contoso, "Salesforce")
        link = f"{server.origin}/v1.0/servicePrincipals/{salesforce.id}/synchronization/jobs?$skiptoken=2"
        salesforce.script.following.append(ok({"value": [{"id": "SF.0"}], "@odata.nextLink": link}))

        readings = await graph.read([salesforce.id], deadline)

        assert told(contoso, readings) == {"Salesforce": ["SF.0", "SF.1"]}

    @pytest.mark.parametrize(
        "link", ["https://evil.example/x", "{origin}/v1.0/servicePrincipals/none/synchronization/jobs", "5"]
    )
    async def test_half_a_list_is_no_list(
        self, graph: GraphTenant, contoso: SimulatedTenant, server: SimulatorServer, link: str, deadline: datetime
    ) -> None:
        """Or the jobs on the missing page would look gone."""
        salesforce = named(contoso, "Salesforce")
        salesforce.script.following.append(
            ok({"value": [{"id": "SF.1"}], "@odata.nextLink": link.format(origin=server.origin)})
        )

        reading = (await graph.read([salesforce.id], deadline))[salesforce.id]

        assert isinstance(reading, Failed)

    async def test_a_malformed_job_fails_alone_and_names_its_path(
        self, graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime
    ) -> None:
        workday = named(contoso, "Workday")
        workday.jobs[0].raw = b'{"id":"WD.1","status":{"code":5}}'

        reading = (await graph.read([workday.id], deadline))[workday.id]

        assert isinstance(reading, Ok)
        assert [job.id for job in reading.jobs] == ["WD.2"]
        ((job_id, fault),) = reading.unreadable
        assert (job_id, "$.status.code" in fault) == ("WD.1", True)

    @pytest.mark.parametrize("raw", [b"5", b"null", b'{"id":null}', b"{}"])
    async def test_one_without_a_readable_id_is_still_known_of(
        self, graph: GraphTenant, contoso: SimulatedTenant, raw: bytes, deadline: datetime
    ) -> None:
        salesforce = named(contoso, "Salesforce")
        salesforce.jobs[0].raw = raw

        reading = (await graph.read([salesforce.id], deadline))[salesforce.id]

        assert isinstance(reading, Ok)
        assert [job_id for job_id, _ in reading.unreadable] == [""]

    @pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b'"PGh0bWw+"', b'{"value":5}'])
    async def test_a_part_that_is_no_list_of_jobs(
        self, graph: GraphTenant, contoso: SimulatedTenant, body: bytes, deadline: datetime
    ) -> None:
        named(contoso, "Box").script.always = ok_raw(body)

        readings = await graph.read(list(contoso.principals), deadline)

        assert told(contoso, readings) == GOOD | {"Box": MALFORMED}


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
        clients = GraphClients(HttpSettings(ca_file=ca_file, timeout=0.1), clock=clock, random=lambda: 0.0)
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
