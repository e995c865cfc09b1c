"""PagerDuty: one incident for a conversation, opened and closed in order; events of their own; keys that nobody sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from alertd.engine.quieting import acknowledge
from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.alert import Ended
from alertd.model.notification import Notification, Reason
from alertd.model.secret import Secret
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.pagerduty import PagerDutyChannel, dedup_key
from alertd.notify.channels.settings import PagerDutySettings
from alertd.render.environment import Templates
from alertd.render.samples import alert, ended, event, notification

from .desk import Desk

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
KEY = "R0123456789abcdefR0123456789abcd"


@pytest.fixture
def make(receiver: Any, templates: Templates, http: ReceiverHttp) -> Callable[..., PagerDutyChannel]:
    def channel(**settings: Any) -> PagerDutyChannel:
        given = {"routing_key": Secret(KEY), "url": f"{receiver.url}/v2/enqueue"} | settings
        return PagerDutyChannel("oncall", PagerDutySettings(**given), templates=templates, http=http)

    return channel


@pytest.fixture
def offline(templates: Templates, make_http: Any, tmp_path: Path) -> PagerDutyChannel:
    """One that is never asked to send, and whose key cannot be read."""
    nowhere = Secret.from_file(tmp_path / "not-there")
    return PagerDutyChannel("oncall", PagerDutySettings(routing_key=nowhere), templates=templates, http=make_http())


def requests_of(channel: PagerDutyChannel, message: Notification) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(channel.render(message).body)
    return made


async def send(channel: PagerDutyChannel, message: Notification | None = None) -> str:
    rendered = channel.render(message or notification())
    return (await channel.send(rendered, key="c1-1", attempt=1, now=NOW)).detail


@pytest.mark.anyio
async def test_what_fires_opens_an_incident(receiver: Any, make: Any) -> None:
    detail = await send(make())

    request = receiver.requests[0]
    body = json.loads(request.body)
    assert (request.method, request.target) == ("POST", "/v2/enqueue")
    assert request.headers["content-type"] == "application/json"
    assert (body["routing_key"], body["event_action"]) == (KEY, "trigger")
    assert body["dedup_key"] == dedup_key("0f3a9b7c")
    assert body["payload"]["summary"] == "Salesforce is in quarantine: EncounteredQuarantineException"
    assert (body["payload"]["source"], body["payload"]["severity"]) == ("contoso/Salesforce", "critical")
    assert body["payload"]["timestamp"] == "2026-01-05T10:40:00Z"
    assert body["payload"]["custom_details"]["Salesforce, JobQuarantined"]["Next attempt"]
    assert body["links"][0]["href"].startswith("https://entra.microsoft.com/")
    assert detail == f"trigger {body['dedup_key']}"


def _all_clear(how: Ended = Ended.RESOLVED, reason: Reason = Reason.ALL_RESOLVED) -> Notification:
    return notification(reason, firing=(), resolved=(ended(alert(), how),))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(notification(), ["trigger"], id="first"),
        pytest.param(notification(Reason.REPEAT), ["trigger"], id="a reminder updates"),
        pytest.param(
            notification(Reason.SOME_RESOLVED, resolved=(ended(alert(number=2)),)), ["trigger"], id="some still fire"
        ),
        pytest.param(_all_clear(), ["resolve"], id="all resolved"),
        pytest.param(_all_clear(Ended.GONE, Reason.SUBJECT_GONE), ["resolve"], id="gone: nothing is left to do"),
        pytest.param(_all_clear(Ended.RULE_REMOVED, Reason.RULE_REMOVED), ["resolve"], id="its rule was removed"),
        pytest.param(_all_clear(reason=Reason.LATE), ["resolve"], id="over before anybody heard: wakes nobody"),
        pytest.param(notification(Reason.DRILL), ["trigger", "resolve"], id="a drill leaves nothing open"),
    ],
)
def test_the_incident_is_open_while_something_fires(
    offline: PagerDutyChannel, message: Notification, expected: list[str]
) -> None:
    made = requests_of(offline, message)

    assert [one["event_action"] for one in made] == expected
    assert {one["dedup_key"] for one in made} == {dedup_key(message.conversation)}


def test_an_event_is_an_incident_of_its_own_that_nobody_resolves(offline: PagerDutyChannel) -> None:
    """Else the all-clear of something else would close it unseen."""
    happened = event()
    others = (happened, attrs.evolve(happened, sequence=happened.sequence + 1))

    alone = requests_of(offline, notification(Reason.EVENT, firing=(), events=(happened,)))
    along = requests_of(offline, attrs.evolve(_all_clear(), events=others))

    assert [one["event_action"] for one in alone] == ["trigger"]
    assert [one["event_action"] for one in along] == ["resolve", "trigger", "trigger"]
    assert along[1]["dedup_key"] == alone[0]["dedup_key"]
    assert len({one["dedup_key"] for one in along}) == 3
    assert alone[0]["payload"]["class"] == "EscrowsPruned"


@pytest.mark.anyio
async def test_requests_go_out_in_order_and_the_rest_waits_when_one_fails(receiver: Any, make: Any) -> None:
    receiver.status = 500

    with pytest.raises(DeliveryError):
        await send(make(), attrs.evolve(_all_clear(), events=(event(),)))

    assert [json.loads(request.body)["event_action"] for request in receiver.requests] == ["resolve"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "headers", "reason", "wait"),
    [
        pytest.param(400, {}, DeliveryFailureReason.CLIENT_ERROR, None, id="refused for good"),
        pytest.param(403, {}, DeliveryFailureReason.AUTH, None, id="not for us"),
        pytest.param(429, {}, DeliveryFailureReason.RATE_LIMITED, 120, id="too many: a few minutes"),
        pytest.param(429, {"Retry-After": "7"}, DeliveryFailureReason.RATE_LIMITED, 7, id="too many, with a time"),
        pytest.param(500, {}, DeliveryFailureReason.SERVER_ERROR, None, id="trouble there"),
        pytest.param(
            302, {"Location": "https://evil.example"}, DeliveryFailureReason.CLIENT_ERROR, None, id="elsewhere"
        ),
    ],
)
async def test_what_answers_mean(
    receiver: Any,
    make: Any,
    status: int,
    headers: dict[str, str],
    reason: DeliveryFailureReason,
    wait: int | None,
) -> None:
    receiver.status, receiver.headers = status, headers
    receiver.body = f'{{"status": "invalid event", "errors": ["routing key {KEY}"]}}'.encode()

    with pytest.raises(DeliveryError) as failure:
        await send(make())

    error = failure.value
    assert (error.reason, error.retriable) == (reason, status in {429, 500})
    assert error.retry_after == (timedelta(seconds=wait) if wait is not None else None)
    assert not error.ambiguous
    assert KEY not in str(error)


@pytest.mark.anyio
async def test_no_answer_may_be_tried_again_without_harm(receiver: Any, templates: Templates, make_http: Any) -> None:
    receiver.behaviour = "reset"
    settings = PagerDutySettings(routing_key=Secret(KEY), url=f"{receiver.url}/v2/enqueue")
    channel = PagerDutyChannel("oncall", settings, templates=templates, http=make_http())

    with pytest.raises(DeliveryError) as failure:
        await send(channel)

    assert failure.value.ambiguous
    assert channel.integration.deduplicates


def test_the_key_stands_in_nothing_that_is_kept(offline: PagerDutyChannel) -> None:
    """It cannot even be read here."""
    assert b"routing_key" not in offline.render(notification()).body


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["short", "x" * 31 + "-"])
async def test_check_knows_a_key_that_cannot_be_one(receiver: Any, make: Any, key: str) -> None:
    with pytest.raises(DeliveryError, match="no text of 32 letters") as failure:
        await make(routing_key=Secret(key)).check()

    assert key not in str(failure.value)
    assert receiver.requests == []


@pytest.mark.anyio
async def test_check_opens_no_incident(receiver: Any, make: Any) -> None:
    await make().check()

    assert [(request.method, request.target) for request in receiver.requests] == [("HEAD", "/")]


def test_it_is_told_of_every_end(offline: PagerDutyChannel) -> None:
    integration = offline.integration

    assert integration.id == "oncall/pagerduty/default"
    assert (integration.closes_silently, integration.deduplicates) == (False, True)


def test_a_flood_fits_with_a_count_and_loses_its_details_first(offline: PagerDutyChannel) -> None:
    flood = tuple(alert(name=f"App {number}", number=number) for number in range(4_000))

    rendered = offline.render(notification(firing=flood))

    (request,) = json.loads(rendered.body)
    assert len(rendered.body) < 512_000
    assert request["payload"]["summary"] == "4000 alerts in contoso: Job quarantined"
    assert request["payload"]["custom_details"]["More"].startswith("+")
    assert rendered.shortened


def test_hostile_names_are_clean_and_short(offline: PagerDutyChannel) -> None:
    name = "Sales\u202eforce\n\x07" + "x" * 5_000

    payload = requests_of(offline, notification(firing=(alert(name=name, summary=name),)))[0]["payload"]

    assert len(payload["summary"]) <= 1_024
    assert len(payload["source"]) <= 255
    assert all(sign not in json.dumps(payload, ensure_ascii=False) for sign in "\u202e\n\x07")


@pytest.mark.parametrize("frame", ["{}", '{"payload": {"summary": "x", "source": "y", "severity": "fatal"}}', "["])
def test_a_template_that_makes_no_event_is_replaced(tmp_path: Path, make_http: Any, frame: str) -> None:
    own = tmp_path / "pagerduty" / "message.event.json.j2"
    own.parent.mkdir()
    own.write_text(frame)
    settings = PagerDutySettings(routing_key=Secret(KEY))
    channel = PagerDutyChannel("oncall", settings, templates=Templates.load(tmp_path), http=make_http())

    rendered = channel.render(notification())

    (request,) = json.loads(rendered.body)
    assert rendered.fallback
    assert (request["event_action"], request["payload"]["severity"]) == ("trigger", "critical")


# Through the engine: what PagerDuty sees in the order in which it sees it.


def actions(receiver: Any) -> list[str]:
    return [json.loads(request.body)["event_action"] for request in receiver.requests]


@pytest.mark.anyio
async def test_a_trigger_that_did_not_get_through_does_not_follow_its_end(receiver: Any, make: Any) -> None:
    """It would open a new incident and wake somebody for what is long over."""
    desk = Desk(make(), NOW)
    receiver.status = 503
    await desk.turn(active=True)
    await desk.wait(timedelta(minutes=2))
    tried = len(receiver.requests)
    assert tried > 1

    await desk.turn(active=False)
    receiver.status = 202
    await desk.wait(timedelta(hours=30))

    assert actions(receiver)[:tried] == ["trigger"] * tried
    assert actions(receiver)[tried:].count("resolve") == 1
    assert "trigger" not in actions(receiver)[actions(receiver).index("resolve") :]


@pytest.mark.anyio
async def test_a_trigger_that_may_have_got_through_is_closed_behind_it(receiver: Any, make: Any) -> None:
    desk = Desk(make(), NOW)
    receiver.behaviour = "reset"
    await desk.turn(active=True)
    await desk.wait(timedelta(seconds=1))
    await desk.turn(active=False)
    receiver.behaviour = "answer"

    await desk.wait(timedelta(hours=30))

    assert actions(receiver)[-1] == "resolve"
    assert actions(receiver).count("resolve") == 1
    assert len({json.loads(request.body)["dedup_key"] for request in receiver.requests}) == 1


@pytest.mark.anyio
async def test_the_next_incident_has_another_key(receiver: Any, make: Any) -> None:
    desk = Desk(make(), NOW)
    for active in (True, False, True):
        await desk.turn(active=active)
        await desk.wait(timedelta(minutes=10))

    first, resolved, second = (json.loads(request.body)["dedup_key"] for request in receiver.requests)
    assert actions(receiver) == ["trigger", "resolve", "trigger"]
    assert first == resolved != second


async def take_on(desk: Desk) -> None:
    """Acknowledge what fires, as `alertd ack` does."""
    said = {"alert": "JobQuarantined", "created_by": "ada", "comment": "on it"}
    await acknowledge(desk.store, said, desk.now)
    await desk.flushing.tell_acknowledgements(desk.now)


@pytest.mark.anyio
async def test_what_somebody_has_taken_on_is_acknowledged_once_at_once_and_in_order(receiver: Any, make: Any) -> None:
    desk = Desk(make(), NOW, repeat=timedelta(hours=1))
    await desk.turn(active=True)
    await desk.wait(timedelta(seconds=1))
    await take_on(desk)
    await desk.wait(timedelta(seconds=1))
    at_once = actions(receiver)
    await take_on(desk)
    await desk.wait(timedelta(hours=3))
    await desk.turn(active=False)
    await desk.wait(timedelta(hours=1))

    assert at_once == ["trigger", "acknowledge"]
    assert actions(receiver) == ["trigger", "acknowledge", "acknowledge", "resolve"]
    acknowledged = json.loads(receiver.requests[1].body)
    assert acknowledged == {"routing_key": KEY, "event_action": "acknowledge", "dedup_key": acknowledged["dedup_key"]}
    assert len({json.loads(request.body)["dedup_key"] for request in receiver.requests}) == 1


@pytest.mark.anyio
async def test_an_acknowledgement_waits_for_its_trigger(receiver: Any, make: Any) -> None:
    """PagerDuty drops one for an incident that is not open yet."""
    desk = Desk(make(), NOW)
    receiver.status = 503
    await desk.turn(active=True)
    await desk.wait(timedelta(seconds=1))
    await take_on(desk)
    receiver.status = 202
    await desk.wait(timedelta(minutes=1))

    assert actions(receiver) == ["trigger", "trigger", "acknowledge"]


@pytest.mark.anyio
async def test_an_acknowledgement_that_did_not_get_through_gives_way_to_the_end(receiver: Any, make: Any) -> None:
    desk = Desk(make(), NOW)
    await desk.turn(active=True)
    await desk.wait(timedelta(seconds=1))
    receiver.status = 503
    await take_on(desk)
    await desk.wait(timedelta(seconds=1))
    await desk.turn(active=False)
    await desk.wait(timedelta(minutes=6))
    receiver.status = 202
    await desk.wait(timedelta(minutes=20))

    assert actions(receiver)[-1] == "resolve"
    assert actions(receiver).index("resolve") > actions(receiver).index("acknowledge")
    assert "acknowledge" not in actions(receiver)[actions(receiver).index("resolve") :]


@pytest.mark.anyio
async def test_a_new_episode_is_not_taken_on(receiver: Any, make: Any) -> None:
    desk = Desk(make(), NOW)
    await desk.turn(active=True)
    await desk.wait(timedelta(seconds=1))
    await take_on(desk)
    await desk.turn(active=False)
    await desk.wait(timedelta(minutes=10))
    await desk.turn(active=True)
    await desk.wait(timedelta(minutes=10))

    assert actions(receiver) == ["trigger", "acknowledge", "resolve", "trigger"]
