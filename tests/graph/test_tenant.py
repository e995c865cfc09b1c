"""A tenant, discovered and read through real TLS, real MSAL and the real transport."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from alertd.errors import PollErrorKind
from alertd.graph.credentials import ClientSecret
from alertd.graph.tenant import GraphTenant
from alertd.model.reading import Failed, Ok
from alertd.model.secret import Secret
from alertd.simulator.odata import Answer, error, failing, html, ok, ok_raw
from alertd.simulator.server import SimulatorServer
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import PasswordCredential, SimulatedTenant

from .contoso import GOOD, add_principals, batches, named, told

pytestmark = pytest.mark.anyio

Connect = Callable[..., GraphTenant]
PERMISSION, NOT_FOUND, SERVER, MALFORMED = (
    PollErrorKind.PERMISSION,
    PollErrorKind.NOT_FOUND,
    PollErrorKind.SERVER,
    PollErrorKind.MALFORMED,
)


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
            pytest.param(("*",), (), {"Salesforce", "Workday", "Box"}, id="all"),
            pytest.param(("sales*", "BOX"), (), {"Salesforce", "Box"}, id="by a pattern and by a name, in any case"),
            pytest.param(("*",), ("Work*",), {"Salesforce", "Box"}, id="all but a pattern"),
            pytest.param(("Box",), ("*",), set(), id="what is excluded is not watched, named or not"),
            pytest.param((), (), set(), id="nothing is included"),
            pytest.param(("[S]*",), (), {"Salesforce"}, id="a class of characters"),
        ],
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
