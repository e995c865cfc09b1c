"""Apprise, the real one, sending JSON to a server of ours."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.alert import Ended
from alertd.model.notification import Notification, Reason
from alertd.model.secret import Secret
from alertd.notify.channels.apprise import AppriseChannel
from alertd.notify.channels.settings import AppriseSettings
from alertd.render.environment import Templates
from alertd.render.samples import alert, ended, event, notification, samples

from .conftest import Receiver

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Apprise looks at modules that Python drops

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)


@pytest.fixture
async def open_receiver() -> AsyncIterator[Receiver]:
    """One without TLS: Apprise cannot be told to trust our authority."""
    told = Receiver(status=200)
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    yield told
    server.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if task.get_coro().__qualname__.startswith("Receiver."):
            task.cancel()


@pytest.fixture
def make(templates: Templates) -> Callable[..., AppriseChannel]:
    def channel(url: str, **options: Any) -> AppriseChannel:
        return AppriseChannel("oncall", AppriseSettings(url=Secret(url)), templates=templates, **options)

    return channel


async def send(channel: AppriseChannel, message: Notification | None = None) -> str:
    rendered = channel.render(message or notification())
    return (await channel.send(rendered, key="c1-1", attempt=1, now=NOW)).detail


async def failed(channel: AppriseChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        await send(channel)
    assert "S3CR3T" not in str(failure.value)
    return failure.value


@pytest.mark.anyio
async def test_title_and_plain_text(open_receiver: Receiver, make: Any) -> None:
    assert await send(make(f"json://127.0.0.1:{open_receiver.port}/x")) == "taken"

    body = json.loads(open_receiver.requests[0].body)
    assert body["title"] == "CRITICAL: Salesforce is in quarantine: EncounteredQuarantineException"
    assert body["type"] == "failure"
    assert "Next attempt: 2026-01-05 16:21 UTC" in body["message"]
    assert "1. In the target system" in body["message"]


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_refusal_is_tried_again_for_nobody_says_whether_it_is_for_good(
    open_receiver: Receiver, make: Any, status: int
) -> None:
    open_receiver.status = status

    error = await failed(make(f"json://u:S3CR3T@127.0.0.1:{open_receiver.port}/"))

    assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.OTHER, True, False)


@pytest.mark.anyio
async def test_without_an_answer_nobody_knows(open_receiver: Receiver, make: Any) -> None:
    open_receiver.behaviour = "hang"

    error = await failed(make(f"json://u:S3CR3T@127.0.0.1:{open_receiver.port}/?rto=1", timeout=timedelta(seconds=0.3)))

    assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.TIMEOUT, True, True)


@pytest.mark.anyio
@pytest.mark.parametrize("url", ["nosuch://S3CR3T", "S3CR3T", "", "json://a/S3CR3T, json://b/S3CR3T"])
async def test_a_url_that_is_not_one_service_is_refused_for_good_and_not_shown(
    make: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = await failed(make(url))

    assert (error.reason, error.retriable) == (DeliveryFailureReason.CLIENT_ERROR, False)
    assert "S3CR3T" not in caplog.text


@pytest.mark.anyio
async def test_without_the_library_it_says_what_to_install(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    error = await failed(make("json://localhost"))

    assert not error.retriable
    assert "pip install 'alertd[apprise]'" in str(error)


@pytest.mark.anyio
async def test_check_sends_nothing(open_receiver: Receiver, make: Any) -> None:
    detail = (await make(f"json://127.0.0.1:{open_receiver.port}/").check()).detail

    assert detail == "Apprise knows it: JSON"
    assert open_receiver.requests == []
    assert logging.getLogger("apprise").disabled


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (notification(), "failure"),
        (notification(firing=(alert(severity="warning"),)), "warning"),
        (notification(Reason.ALL_RESOLVED, firing=(), resolved=(ended(alert()),)), "success"),
        (notification(Reason.SUBJECT_GONE, firing=(), resolved=(ended(alert(), Ended.GONE),)), "info"),
        (notification(Reason.EVENT, firing=(), events=(event(),)), "failure"),
        (notification(Reason.DRILL, firing=(alert(severity="info"),)), "info"),
    ],
)
def test_the_type_is_that_of_the_worst(make: Any, message: Notification, kind: str) -> None:
    assert json.loads(make("json://localhost").render(message).body)["type"] == kind


@pytest.mark.parametrize("name", samples())
def test_every_sample_is_short_enough_for_most_services(make: Any, name: str) -> None:
    rendered = make("json://localhost").render(samples()[name])

    assert rendered.fallback == ""
    assert len(rendered.body) <= 4_000
