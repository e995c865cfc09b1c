"""One attempt against servers that misbehave, over real TLS."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from alertd.errors import PollErrorKind
from alertd.graph import transport as module
from alertd.graph.settings import HttpSettings
from alertd.graph.transport import NoAnswer, Reply, Transport, find_proxy
from alertd.simulator.server import Tls

pytestmark = pytest.mark.anyio

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
NETWORK, TIMEOUT, MALFORMED = PollErrorKind.NETWORK, PollErrorKind.TIMEOUT, PollErrorKind.MALFORMED


@contextlib.asynccontextmanager
async def misbehaving(handler: Handler, tls: Tls | None) -> AsyncIterator[str]:
    """A server that does what the handler does with each connection; gives its origin."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await handler(reader, writer)
        writer.transport.abort()

    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def answering(raw: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    return handler


async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hanging_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")
    await reader.read()


async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


def http(status: str, headers: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n".encode() + body


async def get(url: str, *, ca_file: Path | None, seconds: float = 5.0, proxy: str | None = None) -> Reply:
    transport = Transport(url, HttpSettings(ca_file=ca_file, proxy=proxy))
    try:
        return await transport.send(
            "GET", f"{url}/v1.0/x", headers={"Authorization": "Bearer x"}, timeout_seconds=seconds
        )
    finally:
        await transport.close()


@pytest.mark.parametrize(
    ("handler", "seconds", "kind", "told"),
    [
        pytest.param(gone, 5, NETWORK, "broke", id="closes without a word"),
        pytest.param(
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"), 5, NETWORK, "broke", id="half a body"
        ),
        pytest.param(answering(b"SSH-2.0-OpenSSH_9.2\r\n"), 5, MALFORMED, "no HTTP", id="no HTTP"),
        pytest.param(
            answering(http("200 OK", "Content-Encoding: gzip\r\n", b"plain")),
            5,
            MALFORMED,
            "decompressed",
            id="broken gzip",
        ),
        pytest.param(hanging, 0.2, TIMEOUT, "within 0.2 s", id="hangs"),
        pytest.param(hanging_in_the_body, 0.2, TIMEOUT, "within 0.2 s", id="hangs in the body"),
    ],
)
async def test_no_answer(
    handler: Handler, seconds: float, kind: PollErrorKind, told: str, tls: Tls, ca_file: Path
) -> None:
    async with misbehaving(handler, tls) as origin:
        with pytest.raises(NoAnswer) as caught:
            await get(origin, ca_file=ca_file, seconds=seconds)

    assert (caught.value.kind, told in str(caught.value)) == (kind, True), str(caught.value)
    assert caught.value.retriable == (kind is not MALFORMED)
    assert caught.value.cure


@pytest.mark.parametrize(
    ("url", "kind", "told"),
    [
        ("https://127.0.0.1:9", NETWORK, "no connection"),
        ("https://no-such-host.invalid", NETWORK, "name is not known"),
    ],
)
async def test_nobody_there(url: str, kind: PollErrorKind, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*arguments: Any, **options: Any) -> Any:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(NoAnswer) as caught:
        await get(url, ca_file=None)

    assert (caught.value.kind, told in str(caught.value)) == (kind, True), str(caught.value)


async def test_an_unknown_authority_is_refused(tls: Tls) -> None:
    async with misbehaving(answering(http("200 OK", "", b"{}")), tls) as origin:
        with pytest.raises(NoAnswer) as caught:
            await get(origin, ca_file=None)

    assert (caught.value.kind, "TLS failed" in str(caught.value), "ca_file" in caught.value.cure) == (
        NETWORK,
        True,
        True,
    )


async def test_a_ca_file_that_is_none(tls: Tls, tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match=r"ca\.pem"):
        await get("https://127.0.0.1:9", ca_file=tmp_path / "ca.pem")


async def test_plain_http_where_tls_is_spoken(tls: Tls, ca_file: Path) -> None:
    async def puzzled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(http("400 Bad Request", "", b""))
        await writer.drain()

    async with misbehaving(puzzled, None) as origin:
        with pytest.raises(NoAnswer) as caught:
            await get(origin.replace("http:", "https:"), ca_file=ca_file)

    assert caught.value.kind is NETWORK


async def test_a_redirect_is_an_answer_and_not_followed(tls: Tls, ca_file: Path) -> None:
    asked: list[bytes] = []

    async def redirecting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http("302 Found", "Location: /elsewhere\r\n", b""))
        await writer.drain()

    async with misbehaving(redirecting, tls) as origin:
        reply = await get(origin, ca_file=ca_file)

    assert (reply.status, len(asked)) == (302, 1)


async def test_a_body_is_decompressed_and_bounded(tls: Tls, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_MAX", 1_000_000)
    small = http("200 OK", "Content-Encoding: gzip\r\n", gzip.compress(b"x" * 1000))
    bomb = http("200 OK", "Content-Encoding: gzip\r\n", gzip.compress(b"\0" * 10_000_000))

    async with misbehaving(answering(small), tls) as origin:
        reply = await get(origin, ca_file=ca_file)
    async with misbehaving(answering(bomb), tls) as origin:
        with pytest.raises(NoAnswer) as caught:
            await get(origin, ca_file=ca_file)

    assert reply.body == b"x" * 1000
    assert (caught.value.kind, "more than" in str(caught.value)) == (MALFORMED, True)


async def test_long_headers_are_read(tls: Tls, ca_file: Path) -> None:
    """A claims challenge does not fit into what aiohttp allows by default."""
    async with misbehaving(
        answering(http("401 Unauthorized", f"WWW-Authenticate: {'c' * 20_000}\r\n", b"")), tls
    ) as origin:
        reply = await get(origin, ca_file=ca_file)

    assert len(reply.headers["www-authenticate"]) == 20_000


async def test_cookies_are_not_kept(tls: Tls, ca_file: Path) -> None:
    asked: list[bytes] = []

    async def setting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b; Path=/\r\n\r\n{}")
            await writer.drain()

    async with misbehaving(setting, tls) as origin:
        transport = Transport(origin, HttpSettings(ca_file=ca_file))
        for _ in range(2):
            await transport.send("GET", f"{origin}/x", headers={}, timeout_seconds=5)
        await transport.close()

    assert len(asked) == 2
    assert not any(b"cookie" in request.lower() for request in asked)


@pytest.mark.parametrize(
    "path", ["/v1.0/a?$skiptoken=x%27%2b%7e!%2F", "/v1.0/servicePrincipals(appId='x')?$select=id,b", "/%41%2e%2E/b"]
)
async def test_a_url_is_sent_to_the_letter(path: str, tls: Tls, ca_file: Path) -> None:
    """A nextLink is opaque; aiohttp would write its escapes anew."""
    asked: list[bytes] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(http("200 OK", "", b"{}"))
        await writer.drain()

    async with misbehaving(noting, tls) as origin:
        transport = Transport(origin, HttpSettings(ca_file=ca_file))
        await transport.send("GET", f"{origin}{path}", headers={}, timeout_seconds=5)
        await transport.close()

    assert asked == [f"GET {path} HTTP/1.1\r\n".encode()]


class TestProxies:
    @pytest.mark.parametrize(
        ("environment", "configured", "expected"),
        [
            pytest.param({}, None, None, id="none"),
            pytest.param({"HTTPS_PROXY": "http://proxy:3128"}, None, "http://proxy:3128", id="from the environment"),
            pytest.param({"https_proxy": "proxy:3128"}, None, "http://proxy:3128", id="without a scheme"),
            pytest.param({"ALL_PROXY": "http://proxy:3128"}, None, "http://proxy:3128", id="for all"),
            pytest.param({"HTTP_PROXY": "http://proxy:3128"}, None, None, id="for the other scheme"),
            pytest.param({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "microsoft.com"}, None, None, id="NO_PROXY"),
            pytest.param({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None, None, id="NO_PROXY for all"),
            pytest.param(
                {"HTTPS_PROXY": "http://other:1", "NO_PROXY": "*"}, "http://own:2", "http://own:2", id="configured"
            ),
        ],
    )
    async def test_which_one(
        self, environment: dict[str, str], configured: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

        proxy = find_proxy("https://graph.microsoft.com/v1.0", configured)

        assert (proxy.url if proxy else None) == expected

    async def test_it_is_used(self, tls: Tls, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The tunnel's user and password reach the proxy; it refuses, which is told as its doing."""
        asked: list[bytes] = []

        async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

        async with misbehaving(refusing, None) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.replace("//", "//user:pass@"))
            with pytest.raises(NoAnswer) as caught:
                await get("https://graph.example", ca_file=ca_file)

        assert asked[0].startswith(b"CONNECT graph.example:443")
        assert b"Proxy-Authorization: Basic dXNlcjpwYXNz" in asked[0]
        assert (caught.value.kind, "proxy" in caught.value.cure) == (NETWORK, True)
        assert "pass" not in str(caught.value)

    async def test_a_netrc_does_not_come_in_between(
        self, tls: Tls, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "netrc").write_text("default login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        async with misbehaving(answering(http("200 OK", "", b"{}")), tls) as origin:
            reply = await get(origin, ca_file=ca_file)

        assert reply.status == 200
