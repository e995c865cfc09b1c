"""What is silenced or acknowledged, on the page and in the API."""

from __future__ import annotations

from datetime import timedelta

import attrs
import httpx
import jsonschema
import pytest

from alertd.notify.matchers import parse_matcher
from alertd.notify.silences import Episode, Silence
from alertd.store.memory import MemoryStore
from alertd.store.values import Acknowledgement, Conversation, Told

from .conftest import HOSTILE, NOW, quarantined_alert
from .test_api import schema_of

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
SALESFORCE, WORKDAY = quarantined_alert(), quarantined_alert("Workday to Entra ID", 2)
ACTIVE = Silence(
    id="11111111-active",
    matchers=(parse_matcher(f'job_id="{SALESFORCE.labels["job_id"]}"'),),
    starts_at=NOW - HOUR,
    ends_at=NOW + HOUR,
    created_by="ada",
    comment=f"change 4711 {HOSTILE}",
)
PENDING = attrs.evolve(ACTIVE, id="22222222-pending", starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
EXPIRED = attrs.evolve(ACTIVE, id="33333333-expired", ends_at=NOW - HOUR / 2)
OVER = attrs.evolve(ACTIVE, id="44444444-over", ends_at=None, episodes=(Episode("0" * 16, 1),))
TALK = Conversation(
    id="c",
    group_key="{}:{}",
    integration_id="identity-oncall/teams/default",
    receiver="identity-oncall",
    started_at=NOW - HOUR,
    told=(Told(fingerprint=WORKDAY.fingerprint, episode=1, at=NOW - HOUR),),
    acknowledged=Acknowledgement(at=NOW - HOUR / 2, created_by="grace", comment="renewing it"),
)


@pytest.fixture
async def hushed(store: MemoryStore) -> None:
    async with store.transaction() as transaction:
        for silence in (PENDING, EXPIRED, OVER, ACTIVE):
            await transaction.save_silence(silence)
        await transaction.save_conversation(TALK)


@pytest.mark.usefixtures("hushed")
async def test_silences_in_the_order_of_their_ends(web: httpx.AsyncClient) -> None:
    answer = await web.get("/api/v1/silences")

    jsonschema.validate(answer.json(), schema_of("/silences"), jsonschema.Draft202012Validator)
    told = answer.json()["silences"]
    assert [(one["id"], one["state"], one["holds"]) for one in told] == [
        (ACTIVE.id, "active", [SALESFORCE.fingerprint]),
        (PENDING.id, "pending", []),
    ]
    assert told[0]["matchers"] == [f'job_id="{SALESFORCE.labels["job_id"]}"']


@pytest.mark.usefixtures("hushed")
async def test_silences_of_one_state(web: httpx.AsyncClient) -> None:
    async def of(state: str) -> list[str]:
        return [one["id"] for one in (await web.get("/api/v1/silences", params={"state": state})).json()["silences"]]

    assert await of("pending") == [PENDING.id]
    assert await of("expired") == [EXPIRED.id, OVER.id]
    assert (await web.get("/api/v1/silences", params={"state": "over"})).status_code == 400


@pytest.mark.usefixtures("hushed")
async def test_acknowledgements(web: httpx.AsyncClient) -> None:
    answer = await web.get("/api/v1/acknowledgements")

    jsonschema.validate(answer.json(), schema_of("/acknowledgements"), jsonschema.Draft202012Validator)
    [told] = answer.json()["acknowledgements"]
    assert (told["created_by"], told["comment"], told["alerts"]) == ("grace", "renewing it", [WORKDAY.fingerprint])


@pytest.mark.usefixtures("hushed")
async def test_alerts_say_what_keeps_them_quiet(web: httpx.AsyncClient) -> None:
    alerts = (await web.get("/api/v1/alerts")).json()["alerts"]
    by_fingerprint = {one["fingerprint"]: (one["silenced_by"], one["acknowledged_by"]) for one in alerts}

    assert by_fingerprint[SALESFORCE.fingerprint] == ([ACTIVE.id], [])
    assert by_fingerprint[WORKDAY.fingerprint] == ([], ["grace"])


@pytest.mark.usefixtures("hushed")
async def test_the_page_shows_both_and_escapes_what_people_wrote(web: httpx.AsyncClient) -> None:
    text = (await web.get("/")).text

    assert 'id="h-silences"' in text
    assert 'id="h-acknowledged"' in text
    assert "change 4711" in text
    assert "renewing it" in text
    assert "<script>alert(1)" not in text
    assert EXPIRED.id not in text


async def test_a_page_without_any_has_no_such_tables(web: httpx.AsyncClient) -> None:
    text = (await web.get("/")).text

    assert "h-silences" not in text
    assert "h-acknowledged" not in text


@pytest.mark.usefixtures("hushed")
@pytest.mark.parametrize("path", ["/api/v1/silences", "/api/v1/acknowledgements"])
async def test_they_are_only_looked_at(web: httpx.AsyncClient, path: str) -> None:
    assert (await web.post(path)).status_code == 405
