"""The simulated Graph, seen by a plain HTTP client."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from alertd.errors import PollErrorKind
from alertd.simulator.odata import Answer, error
from alertd.simulator.server import SimulatorServer
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedPrincipal, SimulatedTenant

pytestmark = pytest.mark.anyio

STEP = timedelta(minutes=5)


@pytest.fixture
def salesforce(contoso: SimulatedTenant) -> SimulatedPrincipal:
    return next(iter(contoso.principals.values()))


def jobs_path(principal: SimulatedPrincipal) -> str:
    return f"/servicePrincipals/{principal.id}/synchronization/jobs"


async def batch(client: httpx.AsyncClient, *requests: dict[str, Any]) -> httpx.Response:
    return await client.post("/$batch", json={"requests": requests})


def part(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "method": "GET", "url": url} | more


class TestSinglePaths:
    async def test_jobs_of_a_principal(self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal) -> None:
        answer = await client.get(jobs_path(salesforce))

        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")
        assert "IEEE754Compatible=false" in answer.headers["content-type"]
        body = answer.json()
        assert body["@odata.context"].endswith(f"$metadata#servicePrincipals('{salesforce.id}')/synchronization/jobs")
        assert [job["status"]["code"] for job in body["value"]] == ["Active"]

    async def test_one_job(self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal) -> None:
        assert (await client.get(f"{jobs_path(salesforce)}/SF.1")).json()["id"] == "SF.1"
        assert (await client.get(f"{jobs_path(salesforce)}/SF.2")).status_code == 404

    async def test_a_job_plays_its_timeline(
        self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal, clock: Any
    ) -> None:
        seen = []
        for _ in range(6):
            answer = await client.get(jobs_path(salesforce))
            seen.append([job["status"]["code"] for job in answer.json().get("value", [])] or answer.status_code)
            clock.at += STEP

        assert seen == [["Active"], ["Active"], ["Quarantine"], 200, 401, 401]

    async def test_a_principal_without_jobs_answers_an_empty_list(
        self, client: httpx.AsyncClient, contoso: SimulatedTenant
    ) -> None:
        box = list(contoso.principals.values())[1]

        assert (await client.get(jobs_path(box))).json()["value"] == []

    async def test_an_unknown_one_is_not_found(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/servicePrincipals/none/synchronization/jobs")

        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "Request_ResourceNotFound"

    async def test_a_principal_by_id_and_by_app_id(
        self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal
    ) -> None:
        by_id = (await client.get(f"/servicePrincipals/{salesforce.id}")).json()
        by_app = (await client.get(f"/servicePrincipals(appId='{salesforce.app_id}')?$select=id,displayName")).json()

        assert by_id["displayName"] == "Salesforce"
        assert {name: by_app[name] for name in by_app if name[0] != "@"} == {
            "id": salesforce.id,
            "displayName": "Salesforce",
        }
        assert (await client.get("/servicePrincipals(appId='x')")).status_code == 404

    async def test_what_it_does_not_know(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/groups")

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")

    async def test_ids_of_requests(self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal) -> None:
        answer = await client.get(jobs_path(salesforce), headers={"client-request-id": "mine"})
        refused = (await client.get("/servicePrincipals/none")).json()["error"]["innerError"]

        assert (answer.headers["client-request-id"], len(answer.headers["request-id"])) == ("mine", 36)
        assert set(refused) == {"date", "request-id", "client-request-id"}

    async def test_mail(self, client: httpx.AsyncClient, simulator: Simulator, contoso: SimulatedTenant) -> None:
        mime = b"Subject: hello\r\n\r\nworld"
        body = base64.b64encode(mime)
        path, plain = "/users/alerts@contoso.com/sendMail", {"Content-Type": "text/plain"}

        forbidden = await client.post(path, content=body, headers=plain)
        contoso.roles.add("Mail.Send")
        allowed = {"Authorization": f"Bearer {simulator.token('contoso')}", **plain}
        accepted = await client.post(path, content=body, headers=allowed)
        broken = await client.post(path, content=b"no base64!", headers=allowed)

        assert (forbidden.status_code, accepted.status_code, broken.status_code) == (403, 202, 400)
        assert contoso.mails == [("alerts@contoso.com", mime)]


class TestPaging:
    async def test_pages(self, client: httpx.AsyncClient, contoso: SimulatedTenant) -> None:
        first = (await client.get("/servicePrincipals?$select=id&$top=2")).json()
        second = (await client.get(first["@odata.nextLink"])).json()

        assert [len(first["value"]), len(second["value"])] == [2, 1]
        assert {entry["id"] for entry in first["value"] + second["value"]} == set(contoso.principals)
        assert "@odata.nextLink" not in second
        assert set(first["value"][0]) == {"id"}

    async def test_a_link_is_good_only_to_the_letter(self, server: SimulatorServer, client: httpx.AsyncClient) -> None:
        link = (await client.get("/servicePrincipals?$top=1")).json()["@odata.nextLink"]

        assert urlsplit(link).netloc == urlsplit(server.origin).netloc
        assert (await client.get(link.replace("%27", "'"))).status_code == 400

    @pytest.mark.parametrize(
        "query",
        [
            "$top=0",
            "$top=1000",
            "$top=x",
            "$select=nothing",
            "$filter=displayName eq 'x'",
            "$count=true",
            "$skiptoken=x",
        ],
    )
    async def test_queries_that_are_refused(self, client: httpx.AsyncClient, query: str) -> None:
        assert (await client.get(f"/servicePrincipals?{query}")).status_code == 400


class TestBatch:
    async def test_parts_come_out_of_order(self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal) -> None:
        """Always the same ones, since the simulation repeats itself."""
        asked = [str(number) for number in range(20)]

        answer = await batch(client, *(part(name, jobs_path(salesforce)) for name in asked))

        came = [response["id"] for response in answer.json()["responses"]]
        assert sorted(came) == sorted(asked)
        assert came != asked

    async def test_parts_have_status_headers_and_body(
        self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal
    ) -> None:
        salesforce.script.following.append(error(429, "TooManyRequests", "", headers={"Retry-After": "2.128"}))

        answer = await batch(client, part("1", jobs_path(salesforce)))

        (response,) = answer.json()["responses"]
        assert (response["status"], response["headers"]["Retry-After"]) == (429, "2.128")
        assert response["body"]["error"]["code"] == "TooManyRequests"

    async def test_a_leading_slash_is_optional(self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal) -> None:
        answer = await batch(client, part("1", jobs_path(salesforce).lstrip("/")))

        assert answer.json()["responses"][0]["status"] == 200

    async def test_a_body_that_is_no_json_is_base64_and_none_is_null(
        self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal
    ) -> None:
        salesforce.script.following.extend([Answer(body=b"<html>", content_type="text/html"), Answer(status=204)])

        answer = await batch(client, part("1", jobs_path(salesforce)), part("2", jobs_path(salesforce)))

        bodies = {response["id"]: response["body"] for response in answer.json()["responses"]}
        assert bodies == {"1": base64.b64encode(b"<html>").decode(), "2": None}

    async def test_what_depends_on_a_failure_fails(
        self, client: httpx.AsyncClient, salesforce: SimulatedPrincipal
    ) -> None:
        answer = await batch(
            client, part("1", "/servicePrincipals/none"), part("2", jobs_path(salesforce), dependsOn=["1"])
        )

        assert {response["id"]: response["status"] for response in answer.json()["responses"]} == {"1": 404, "2": 424}

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({"requests": [part(str(number), "/x") for number in range(21)]}, id="21 parts"),
            pytest.param({"requests": [part("a", "/x"), part("A", "/x")]}, id="ids that differ in case only"),
            pytest.param({"requests": [part("1", "/x"), part("1", "/x")]}, id="the same id twice"),
            pytest.param({"requests": [{"method": "GET", "url": "/x"}]}, id="no id"),
            pytest.param({"requests": "x"}, id="no list"),
            pytest.param({}, id="nothing"),
        ],
    )
    async def test_a_batch_that_is_refused_whole(self, client: httpx.AsyncClient, body: Any) -> None:
        answer = await client.post("/$batch", content=json.dumps(body))

        assert answer.status_code == 400
        assert set(answer.json()["error"]) == {"code", "message", "innerError"}

    async def test_no_batch_within_a_batch(self, client: httpx.AsyncClient) -> None:
        answer = await batch(client, {"id": "1", "method": "POST", "url": "/$batch", "body": {}})

        assert answer.json()["responses"][0]["status"] == 400


class TestPermissions:
    async def test_a_missing_role_on_jobs_is_a_401_without_a_message(
        self, client: httpx.AsyncClient, contoso: SimulatedTenant, salesforce: SimulatedPrincipal
    ) -> None:
        contoso.roles.discard("Synchronization.Read.All")

        answer = await client.get(jobs_path(salesforce))

        assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["message"]) == (
            401,
            "UnknownError",
            "",
        )
        assert (await client.get("/servicePrincipals")).status_code == 200

    async def test_on_the_directory_a_403(self, client: httpx.AsyncClient, contoso: SimulatedTenant) -> None:
        contoso.roles.discard("Application.Read.All")

        answer = await client.get("/servicePrincipals")

        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")

    @pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic x"])
    async def test_without_a_good_token_nothing_is_open(self, client: httpx.AsyncClient, authorization: str) -> None:
        answer = await client.get("/servicePrincipals", headers={"Authorization": authorization})

        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    async def test_a_token_opens_its_own_tenant_alone(
        self, client: httpx.AsyncClient, simulator: Simulator, salesforce: SimulatedPrincipal
    ) -> None:
        simulator.add_tenant("fabrikam")
        headers = {"Authorization": f"Bearer {simulator.token('fabrikam')}"}

        assert (await client.get(jobs_path(salesforce), headers=headers)).status_code == 404


class TestTrouble:
    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            (PollErrorKind.AUTH, 401),
            (PollErrorKind.PERMISSION, 401),
            (PollErrorKind.NOT_FOUND, 404),
            (PollErrorKind.THROTTLED, 429),
            (PollErrorKind.SERVER, 503),
            (PollErrorKind.MALFORMED, 200),
        ],
    )
    async def test_a_tenant_that_fails(
        self,
        client: httpx.AsyncClient,
        contoso: SimulatedTenant,
        salesforce: SimulatedPrincipal,
        kind: PollErrorKind,
        status: int,
    ) -> None:
        contoso.failing = kind

        answer = await client.get(jobs_path(salesforce))

        assert answer.status_code == status

    async def test_a_dropped_connection(self, client: httpx.AsyncClient, contoso: SimulatedTenant) -> None:
        contoso.failing = PollErrorKind.NETWORK

        with pytest.raises(httpx.TransportError):
            await client.get("/servicePrincipals")

    async def test_no_answer(self, client: httpx.AsyncClient, contoso: SimulatedTenant) -> None:
        contoso.failing = PollErrorKind.TIMEOUT

        with pytest.raises(httpx.TimeoutException):
            await client.get("/servicePrincipals", timeout=0.1)

    async def test_a_stopped_server_refuses_connections(
        self, client: httpx.AsyncClient, server: SimulatorServer
    ) -> None:
        await server.stop()

        with pytest.raises(httpx.ConnectError):
            await client.get("/servicePrincipals")

        await server.start()
        assert (await client.get("/servicePrincipals")).status_code == 200

    async def test_latency(self, client: httpx.AsyncClient, contoso: SimulatedTenant) -> None:
        contoso.latency = 30

        with pytest.raises(httpx.ReadTimeout):
            await client.get("/servicePrincipals", timeout=0.1)
