"""Our JSON, and that its description is true."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import httpx
import jsonschema
import pytest

from alertd.store.memory import MemoryStore
from alertd.web.api import Api

pytestmark = pytest.mark.anyio

DESCRIPTION = json.loads(resources.files("alertd.web").joinpath("openapi.json").read_text(encoding="utf-8"))
READING = [path for path in DESCRIPTION["paths"] if path != "/openapi.json"]


def schema_of(path: str) -> dict[str, Any]:
    schema = DESCRIPTION["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return {**schema, "components": DESCRIPTION["components"]}


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    routes = {route.path for route in Api(None, MemoryStore()).routes()}  # type: ignore[arg-type]

    assert routes == set(DESCRIPTION["paths"])


@pytest.mark.parametrize("path", READING)
async def test_answers_are_as_described(web: httpx.AsyncClient, path: str) -> None:
    answer = await web.get(f"/api/v1{path}", params={"tenant": "contoso"} if path == "/jobs" else {})

    assert answer.status_code == 200
    jsonschema.validate(answer.json(), schema_of(path), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", READING)
async def test_described_parameters_are_taken_and_no_others(web: httpx.AsyncClient, path: str) -> None:
    described = DESCRIPTION["paths"][path]["get"].get("parameters", [])
    values = {
        "tenant": "contoso", "state": "pending", "severity": "error", "alertname": "JobQuarantined",
        "integration": "identity-oncall/teams/default", "limit": "1", "code": "Quarantine",
    }  # fmt: skip
    names = [parameter.get("name", "limit") for parameter in described]

    taken = await web.get(f"/api/v1{path}", params={name: values[name] for name in names})
    refused = await web.get(f"/api/v1{path}", params={"wrong": "1"})

    assert taken.status_code == 200
    assert (refused.status_code, "`wrong`" in refused.json()["error"]) == (400, True)


async def test_it_describes_itself(web: httpx.AsyncClient) -> None:
    assert (await web.get("/api/v1/openapi.json")).json() == DESCRIPTION


async def test_status_in_figures(web: httpx.AsyncClient) -> None:
    status = (await web.get("/api/v1/status")).json()

    assert status["ready"] is True
    assert status["tenants"] == {"total": 2, "failing": 1, "overdue": []}
    assert status["alerts"] == {"firing": {"critical": 2, "error": 1}, "pending": {"warning": 1}}
    assert status["deliveries"]["open"] == {"pending": 1, "sending": 0, "unknown": 0}


async def test_the_worst_comes_first(web: httpx.AsyncClient) -> None:
    alerts = (await web.get("/api/v1/alerts")).json()["alerts"]
    tenants = (await web.get("/api/v1/tenants")).json()["tenants"]

    assert [alert["severity"] for alert in alerts] == ["critical", "critical", "error", "warning"]
    assert [tenant["name"] for tenant in tenants] == ["fabrikam", "contoso"]


async def test_alerts_of_one_rule(web: httpx.AsyncClient) -> None:
    alerts = (await web.get("/api/v1/alerts", params={"alertname": "TenantUnreachable"})).json()["alerts"]

    assert [alert["name"] for alert in alerts] == ["TenantUnreachable"]


async def test_jobs_of_one_code_carry_what_alertd_derives(web: httpx.AsyncClient) -> None:
    jobs = (await web.get("/api/v1/jobs", params={"tenant": "contoso", "code": "Quarantine"})).json()["jobs"]

    assert [(job["displayName"], job["status"]["code"]) for job in jobs] == [
        ("Salesforce", "Quarantine"),
        ("Workday to Entra ID", "Quarantine"),
    ]
    assert jobs[0]["facts"]["disableAt"] == "2026-02-02T10:21:00Z"


@pytest.mark.parametrize(
    ("path", "params", "told"),
    [
        ("/jobs", {}, "`tenant` has to name a tenant"),
        ("/jobs", {"tenant": "nobody"}, "`tenant` has to name a tenant"),
        ("/alerts", {"state": "broken"}, "firing, pending, baseline"),
        ("/deliveries", {"limit": "0"}, "from 1 to 1000"),
        ("/deliveries", {"limit": "many"}, "from 1 to 1000"),
    ],
)
async def test_a_wrong_question_is_answered_with_the_right_one(
    web: httpx.AsyncClient, path: str, params: dict[str, str], told: str
) -> None:
    answer = await web.get(f"/api/v1{path}", params=params)

    assert (answer.status_code, told in answer.json()["error"]) == (400, True)
