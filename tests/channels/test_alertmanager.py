"""Alertmanager: our alerts as its alerts, refreshed while they fire; and, where it is installed, the real one."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.alert import Ended
from alertd.model.notification import Notification, Reason
from alertd.model.secret import Secret
from alertd.notify.channels.alertmanager import HOLD, REFRESH, AlertmanagerChannel
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.settings import AlertmanagerSettings
from alertd.render.samples import alert, ended, event, notification
from alertd.store.opening import open_store
from tests.real_alertmanager import NOBODY, Alertmanager, needs_alertmanager, running

from .desk import Desk

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)


@pytest.fixture
def make(receiver: Any, http: ReceiverHttp) -> Callable[..., AlertmanagerChannel]:
    receiver.status = 200

    def channel(url: str | None = None) -> AlertmanagerChannel:
        return AlertmanagerChannel("oncall", AlertmanagerSettings(url=Secret(url or receiver.url)), http=http)

    return channel


async def send(channel: AlertmanagerChannel, message: Notification | None = None, now: datetime = NOW) -> str:
    rendered = channel.render(message or notification())
    return (await channel.send(rendered, key="c1-1", attempt=1, now=now)).detail


def posted(receiver: Any) -> list[list[dict[str, Any]]]:
    return [json.loads(request.body) for request in receiver.requests]


@pytest.mark.anyio
async def test_an_alert_keeps_its_labels_and_texts_and_ends_a_day_after_the_attempt(receiver: Any, make: Any) -> None:
    """However old the message: an end in the past would be an all-clear."""
    one = alert(name="Sales\u202eforce <b>")

    assert await send(make(), notification(firing=(one,)), NOW + timedelta(days=3)) == "200, 1 alerts"

    ((sent,),) = posted(receiver)
    assert (receiver.requests[0].target, receiver.requests[0].headers["content-type"]) == (
        "/api/v2/alerts",
        "application/json",
    )
    assert sent["labels"] == dict(one.labels)
    assert sent["annotations"].items() >= dict(one.annotations).items()
    assert sent["startsAt"] == "2026-01-05T10:40:00Z"
    assert datetime.fromisoformat(sent["endsAt"]) == NOW + timedelta(days=3) + HOLD
    assert sent["generatorURL"].startswith("https://entra.microsoft.com/")
    assert sent["annotations"]["runbook_url"].startswith("https://learn.microsoft.com/")


@pytest.mark.anyio
async def test_what_has_ended_is_sent_with_its_end(receiver: Any, make: Any) -> None:
    message = notification(
        Reason.SOME_RESOLVED, resolved=(ended(alert(number=2)), ended(alert(number=3), Ended.RULE_REMOVED))
    )

    await send(make(), message)

    ends = [datetime.fromisoformat(one["endsAt"]) for one in posted(receiver)[0]]
    assert ends == [NOW + HOLD, NOW, NOW]
    assert posted(receiver)[0][2]["annotations"]["ended"] == "the rule was removed"


@pytest.mark.anyio
async def test_two_events_are_two_alerts(receiver: Any, make: Any) -> None:
    happened = event()
    events = (happened, attrs.evolve(happened, sequence=happened.sequence + 1))

    await send(make(), notification(Reason.EVENT, firing=(), events=events))

    labels = [one["labels"] for one in posted(receiver)[0]]
    assert [one.pop("event") for one in labels] == ["7", "8"]
    assert labels == [dict(happened.labels)] * 2


@pytest.mark.anyio
async def test_a_drill_ends_by_itself(receiver: Any, make: Any) -> None:
    await send(make(), notification(Reason.DRILL))

    assert posted(receiver)[0][0]["endsAt"] == "2026-01-05T10:46:00Z"


@pytest.mark.anyio
async def test_no_alert_is_missing_from_a_flood(receiver: Any, make: Any) -> None:
    await send(
        make(), notification(firing=tuple(alert(name=f"App {number}", number=number) for number in range(5_000)))
    )

    assert len(posted(receiver)[0]) == 5_000


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "reason", "retriable", "hint"),
    [
        (400, DeliveryFailureReason.CLIENT_ERROR, False, "answered 400: no such thing"),
        (401, DeliveryFailureReason.AUTH, False, "answered 401"),
        (404, DeliveryFailureReason.CLIENT_ERROR, False, "without /api"),
        (429, DeliveryFailureReason.RATE_LIMITED, True, "answered 429"),
        (500, DeliveryFailureReason.SERVER_ERROR, True, "answered 500"),
        (503, DeliveryFailureReason.SERVER_ERROR, True, "answered 503"),
    ],
)
async def test_answers(
    receiver: Any, make: Any, status: int, reason: DeliveryFailureReason, retriable: bool, hint: str
) -> None:
    channel = make()
    receiver.status, receiver.body = status, b"no such thing"

    for action in (send(channel), channel.check()):
        with pytest.raises(DeliveryError, match=hint) as failure:
            await action
        assert (failure.value.reason, failure.value.retriable) == (reason, retriable)


@pytest.mark.anyio
async def test_a_url_may_hold_a_prefix_and_a_password_that_nobody_sees(receiver: Any, make: Any) -> None:
    channel = make(receiver.url.replace("https://", "https://user:S3CR3T@") + "/prefix/")
    await send(channel)
    receiver.status = 401

    with pytest.raises(DeliveryError) as failure:
        await send(channel)

    assert receiver.requests[0].target == "/prefix/api/v2/alerts"
    assert receiver.requests[0].headers["authorization"].startswith("Basic ")
    assert "S3CR3T" not in str(failure.value)


@pytest.mark.anyio
async def test_check_sends_no_alert(receiver: Any, make: Any) -> None:
    await make().check()

    assert posted(receiver) == [[]]


@pytest.mark.anyio
async def test_what_it_is_like(make: Any) -> None:
    integration = make().integration

    assert integration.id == "oncall/alertmanager/default"
    assert (integration.closes_silently, integration.deduplicates, integration.send_resolved) == (False, True, True)


@pytest.mark.anyio
@pytest.mark.parametrize("repeat", [timedelta(hours=24), timedelta(0)], ids=["repeated daily", "never repeated"])
async def test_what_fires_is_sent_again_before_its_end_whatever_the_route_says(
    receiver: Any, make: Any, repeat: timedelta
) -> None:
    """It forgets alerts when it restarts, and takes one that is not sent again for resolved."""
    desk = Desk(make(), NOW, repeat=repeat)
    await desk.turn(active=True)
    await desk.wait(timedelta(hours=1))
    refreshed = len(posted(receiver))
    await desk.turn(active=False)
    await desk.wait(timedelta(hours=2))

    *firing, last = [datetime.fromisoformat(one["endsAt"]) for (one,) in posted(receiver)]
    gaps = {later - earlier for earlier, later in itertools.pairwise(firing)}
    assert refreshed == timedelta(hours=1) / REFRESH + 1
    assert gaps == {REFRESH}
    assert last == NOW + timedelta(hours=1)


# The real one.


@pytest.fixture
async def alertmanager(tmp_path: Path) -> AsyncIterator[Alertmanager]:
    async with running(NOBODY, tmp_path) as real:
        yield real


@pytest.mark.anyio
@pytest.mark.alertmanager
@needs_alertmanager
async def test_alerts_fire_and_end_in_a_real_alertmanager(alertmanager: Alertmanager, make: Any) -> None:
    channel = make(alertmanager.url)
    now = datetime.now(UTC)
    one = attrs.evolve(alert(name="Sales <b> & \u202e"), startsAt=now - timedelta(minutes=1))
    over = attrs.evolve(ended(one), alert=attrs.evolve(one, endsAt=now - timedelta(seconds=1)))

    await channel.check()
    await send(channel, notification(firing=(one,), events=(event(),)), now)
    fired = {each["labels"]["alertname"]: each for each in alertmanager.alerts()}
    await send(channel, notification(Reason.REPEAT, firing=(one,)), now)
    refreshed = len(alertmanager.alerts())
    await send(channel, notification(Reason.ALL_RESOLVED, firing=(), resolved=(over,)), now)
    left = [each["labels"]["alertname"] for each in alertmanager.alerts()]

    assert set(fired) == {"JobQuarantined", "EscrowsPruned"}
    assert fired["JobQuarantined"]["labels"] == dict(one.labels)
    assert fired["JobQuarantined"]["annotations"].items() >= dict(one.annotations).items()
    assert refreshed == 2
    assert left == ["EscrowsPruned"]


@pytest.mark.anyio
@pytest.mark.alertmanager
@needs_alertmanager
async def test_a_real_alertmanager_says_what_it_refuses(alertmanager: Alertmanager, make: Any) -> None:
    bad = attrs.evolve(alert(), labels={"no-label-name": "x"})

    with pytest.raises(DeliveryError, match="answered 400") as failure:
        await send(make(alertmanager.url), notification(firing=(bad,)), datetime.now(UTC))

    assert not failure.value.retriable


@pytest.mark.anyio
@pytest.mark.alertmanager
@needs_alertmanager
async def test_a_real_alertmanager_that_forgets_or_is_not_told_again_hears_of_it_at_the_next_refresh(
    tmp_path: Path, make: Any
) -> None:
    """What was said a day ago has expired there; what is refreshed stays, also over its restart; the end is an end."""
    store = await open_store("sqlite:///alertd.db", tmp_path)
    begun = datetime.now(UTC).replace(microsecond=0) - HOLD - timedelta(minutes=30)
    async with running(NOBODY, tmp_path) as first:
        desk = Desk(make(first.url), begun, store=store)
        await desk.turn(active=True)
        await desk.wait(timedelta(0))
        said_once = first.firing()
        await desk.wait(HOLD)
        refreshed = first.firing()
    async with running(NOBODY, tmp_path / "data", first.url) as second:
        forgotten = second.firing()
        await desk.wait(REFRESH)
        (known_again,) = second.alerts()
        await desk.turn(active=False)
        await desk.wait(timedelta(minutes=10))
        ended = second.firing()
    await store.close()

    assert (said_once, refreshed, forgotten, ended) == (set(), {"JobQuarantined"}, set(), set())
    assert datetime.fromisoformat(known_again["endsAt"]) == begun + HOLD + REFRESH + HOLD
    assert datetime.fromisoformat(known_again["startsAt"]) == begun
