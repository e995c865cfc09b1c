"""What an attempt over HTTP comes to: every way it can go wrong, and never a word of the URL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from alertd.errors import ConfigError, DeliveryError, DeliveryFailureReason, Problem
from alertd.model.notification import Rendered
from alertd.model.secret import Secret
from alertd.notify.channels.answers import Answer, refusal, retry_after
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp, demand_https
from alertd.notify.channels.settings import WebhookSettings
from alertd.notify.channels.webhook import WebhookChannel
from alertd.render.environment import Templates

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
PATH = "/hook/T0P-SECRET?sig=S3CR3T%2F%2B&sp=%2Ftriggers%2Fmanual"


@pytest.fixture
def channel(receiver: Any, templates: Templates, http: ReceiverHttp) -> WebhookChannel:
    return WebhookChannel(
        "oncall", WebhookSettings(url=Secret(f"{receiver.url}{PATH}")), templates=templates, http=http
    )


async def failed(channel: WebhookChannel, body: Rendered) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        await channel.send(body, key="c1-1", attempt=1, now=NOW)
    assert not any(secret in str(failure.value) for secret in ("T0P-SECRET", "S3CR3T", "sig="))
    assert failure.value.__cause__ is None or "S3CR3T" not in repr(failure.value.__cause__)
    return failure.value


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "reason", "retriable"),
    [
        (301, "client_error", False),
        (302, "client_error", False),
        (400, "client_error", False),
        (401, "auth", False),
        (403, "auth", False),
        (404, "client_error", False),
        (408, "timeout", True),
        (410, "client_error", False),
        (413, "client_error", False),
        (425, "server_error", True),
        (429, "rate_limited", True),
        (500, "server_error", True),
        (502, "server_error", True),
        (503, "server_error", True),
        (504, "server_error", True),
    ],
)
async def test_statuses(
    receiver: Any, channel: WebhookChannel, body: Rendered, status: int, reason: str, retriable: bool
) -> None:
    receiver.status, receiver.body = status, b"bad body at https://x.example/S3CR3T?sig=S3CR3T"
    receiver.headers = {"Location": "https://localhost:1/elsewhere"}

    error = await failed(channel, body)

    assert (error.reason.value, error.retriable, error.ambiguous, error.status) == (reason, retriable, False, status)
    assert len(receiver.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_yes_is_accepted(receiver: Any, channel: WebhookChannel, body: Rendered, status: int) -> None:
    receiver.status = status

    accepted = await channel.send(body, key="c1-1", attempt=1, now=NOW)

    assert accepted.detail == str(status)
    assert receiver.requests[0].body == body.body


@pytest.mark.anyio
async def test_the_url_goes_out_as_it_is_written(receiver: Any, channel: WebhookChannel, body: Rendered) -> None:
    await channel.send(body, key="c1-1", attempt=1, now=NOW)

    assert receiver.requests[0].target == PATH


@pytest.mark.anyio
async def test_no_cookie_is_kept(receiver: Any, channel: WebhookChannel, body: Rendered) -> None:
    receiver.headers = {"Set-Cookie": "session=1; Path=/"}

    await channel.send(body, key="c1-1", attempt=1, now=NOW)
    await channel.send(body, key="c1-2", attempt=1, now=NOW)

    assert "cookie" not in receiver.requests[1].headers


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("2.5", 2.5),
        ("Mon, 05 Jan 2026 10:42:00 GMT", 60),
        ("Mon, 05 Jan 2026 10:00:00 GMT", 0),
        ("999999999", 86_400),
        ("soon", None),
    ],
)
async def test_retry_after(
    receiver: Any, channel: WebhookChannel, body: Rendered, value: str, seconds: float | None
) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": value}

    error = await failed(channel, body)

    assert error.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("value", ["-1", "1e9", "nan", "", "\u0661", "99999999999999999999999999"])
def test_odd_retry_after_does_no_harm(value: str) -> None:
    wait = retry_after(value, NOW)

    assert wait is None or timedelta(0) <= wait <= timedelta(hours=24)


@pytest.mark.anyio
async def test_silence_after_the_body_is_ambiguous(
    receiver: Any, templates: Templates, make_http: Callable[..., ReceiverHttp], body: Rendered
) -> None:
    receiver.behaviour = "hang"
    client = make_http(timeout=0.5)
    channel = WebhookChannel(
        "oncall", WebhookSettings(url=Secret(f"{receiver.url}{PATH}")), templates=templates, http=client
    )

    error = await failed(channel, body)

    assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.TIMEOUT, True, True)
    await client.close()


@pytest.mark.anyio
async def test_a_reset_after_the_body_is_ambiguous(receiver: Any, channel: WebhookChannel, body: Rendered) -> None:
    receiver.behaviour = "reset"

    error = await failed(channel, body)

    assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.NETWORK, True, True)


@pytest.mark.anyio
async def test_no_connection_is_certain(
    templates: Templates, http: ReceiverHttp, body: Rendered, unused_port: int
) -> None:
    channel = WebhookChannel(
        "oncall", WebhookSettings(url=Secret(f"https://localhost:{unused_port}{PATH}")), templates=templates, http=http
    )

    error = await failed(channel, body)

    assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.NETWORK, True, False)


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "localhost", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


@pytest.mark.anyio
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    receiver: Any, templates: Templates, body: Rendered
) -> None:
    from alertd.graph.trust import make_ssl_context

    stranger = ReceiverHttp(trust=make_ssl_context)
    channel = WebhookChannel(
        "oncall", WebhookSettings(url=Secret(f"{receiver.url}{PATH}")), templates=templates, http=stranger
    )

    error = await failed(channel, body)

    assert (error.reason, error.ambiguous) == (DeliveryFailureReason.NETWORK, False)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error) or "certificate" in str(error).lower()
    assert receiver.requests == []
    await stranger.close()


@pytest.mark.anyio
async def test_an_answer_without_end_is_read_only_so_far(
    receiver: Any, channel: WebhookChannel, body: Rendered
) -> None:
    receiver.status, receiver.body = 400, b"x" * 5_000_000

    error = await failed(channel, body)

    assert len(str(error)) < 400


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "ftp://localhost/x",
        "localhost/x",
        "https://",
        "https://[::1",
        "https://exa mple/\n",
    ],
)
async def test_a_url_that_will_never_do_is_refused_before_anything_is_sent(
    templates: Templates, http: ReceiverHttp, body: Rendered, url: str
) -> None:
    channel = WebhookChannel("oncall", WebhookSettings(url=Secret(url)), templates=templates, http=http)

    error = await failed(channel, body)

    assert (error.retriable, error.ambiguous, error.reason) == (False, False, DeliveryFailureReason.CLIENT_ERROR)


@pytest.mark.parametrize(
    ("url", "allow_http"),
    [
        ("http://localhost:1/x", False),
        ("http://127.0.0.1/x", False),
        ("http://[::1]:8/x", False),
        ("http://hooks.example.com/x", True),
    ],
)
def test_plain_http_is_for_this_machine_or_when_meant(url: str, allow_http: bool) -> None:
    demand_https(url, allow_http=allow_http, who="x")


@pytest.mark.anyio
async def test_a_secret_s_file_that_is_gone_may_come_back(
    templates: Templates, http: ReceiverHttp, body: Rendered, tmp_path: Path
) -> None:
    channel = WebhookChannel(
        "oncall", WebhookSettings(url=Secret.from_file(tmp_path / "url")), templates=templates, http=http
    )

    error = await failed(channel, body)

    assert (error.retriable, error.ambiguous) == (True, False)
    assert "url" in str(error)


@pytest.mark.anyio
async def test_check_asks_the_host_and_not_the_hook(receiver: Any, channel: WebhookChannel) -> None:
    receiver.status = 404

    accepted = await channel.check()

    assert "404" in accepted.detail
    assert [(request.method, request.target) for request in receiver.requests] == [("HEAD", "/")]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "foreign",
    [
        httpx.ReadError("https://x.example/S3CR3T"),
        httpx.RemoteProtocolError("odd"),
        httpx.LocalProtocolError("odd"),
        httpx.PoolTimeout("late"),
        httpx.ConnectTimeout("late"),
        httpx.ProxyError("proxy"),
        httpx.DecodingError("odd"),
        httpx.InvalidURL("S3CR3T"),
        httpx.CookieConflict("odd"),
        httpx.StreamError("odd"),
        RuntimeError("client closed https://x.example/S3CR3T?sig=S3CR3T"),
        UnicodeEncodeError("ascii", "é", 0, 1, "odd"),
        OSError("odd"),
        ConfigError([Problem(found="no certificates")]),
        KeyError("bug"),
    ],
    ids=lambda exc: type(exc).__name__,
)
async def test_nothing_but_a_delivery_error_leaves(
    channel: WebhookChannel, http: ReceiverHttp, body: Rendered, foreign: Exception
) -> None:
    async def broken(*_: object, **__: object) -> httpx.Response:
        raise foreign

    http._client.send = broken

    error = await failed(channel, body)

    assert isinstance(error.reason, DeliveryFailureReason)


def test_the_guard_maps_what_is_left() -> None:
    with pytest.raises(DeliveryError) as bug, delivery_errors("oncall/x/default"):
        raise KeyError("https://x.example/S3CR3T?sig=S3CR3T")
    with pytest.raises(DeliveryError) as ours, delivery_errors("oncall/x/default"):
        raise ConfigError([Problem(found="an empty file")])

    assert (bug.value.retriable, bug.value.ambiguous) == (True, True)
    assert "S3CR3T" not in str(bug.value)
    assert (ours.value.retriable, ours.value.ambiguous) == (True, False)


def test_an_answer_s_text_is_shown_without_secrets() -> None:
    error = refusal(
        Answer(status=400, text='{"error": "bad token Bearer abcdefghijkl"}'), "oncall/teams/default", now=NOW
    )

    assert "oncall/teams/default answered 400" in str(error)
    assert "abcdefghijkl" not in str(error)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            b"HTTP/1.1 502 Bad Gateway\r\n\r\n", DeliveryFailureReason.NETWORK, id="the proxy cannot reach the host"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", DeliveryFailureReason.NETWORK, id="and TLS fails behind it"),
    ],
)
async def test_a_proxy_s_trouble_is_not_ambiguous(
    templates: Templates,
    make_http: Callable[..., ReceiverHttp],
    body: Rendered,
    answer: bytes,
    reason: DeliveryFailureReason,
) -> None:
    """The CONNECT to a proxy is a request that went out, but it is not the message."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "localhost", 0)
    client = make_http(proxy=f"http://localhost:{server.sockets[0].getsockname()[1]}")
    settings = WebhookSettings(url=Secret(f"https://hooks.example.com{PATH}"))

    error = await failed(WebhookChannel("oncall", settings, templates=templates, http=client), body)

    assert (error.reason, error.retriable, error.ambiguous) == (reason, True, False)
    await client.close()
    server.close()
