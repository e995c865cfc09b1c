"""Receivers to be told: real servers behind real TLS that answer as they are asked to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
import trustme

from alertd.graph.trust import make_ssl_context
from alertd.model.notification import Rendered
from alertd.notify.channels.http import ReceiverHttp
from alertd.render.environment import Templates

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)


@attrs.frozen
class Request:
    """What a receiver was sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@attrs.define
class Receiver:
    """A web server of few words. behaviour: ``answer``, ``hang`` after the body, ``reset`` after it, or ``close`` before it."""

    port: int = 0
    status: int = 202
    headers: dict[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    behaviour: str = "answer"
    requests: list[Request] = attrs.field(factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.behaviour == "close":
            return
        request = await _read(reader)
        self.requests.append(request)
        if self.behaviour == "hang":
            await asyncio.Event().wait()
        if self.behaviour == "reset":
            writer.transport.abort()
            return
        head = [
            f"HTTP/1.1 {self.status} X",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {text}" for name, text in self.headers.items()),
        ]
        writer.write("\r\n".join([*head, "", ""]).encode() + (b"" if request.method == "HEAD" else self.body))
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return ca, path


@pytest.fixture(scope="session")
def server_tls(authority: tuple[trustme.CA, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
async def receiver(server_tls: ssl.SSLContext) -> AsyncIterator[Receiver]:
    told = Receiver()
    server = await asyncio.start_server(told.serve, "localhost", 0, ssl=server_tls)
    told.port = server.sockets[0].getsockname()[1]
    serving = asyncio.create_task(server.serve_forever())
    yield told
    serving.cancel()
    server.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if task.get_coro().__qualname__.startswith("Receiver."):
            task.cancel()


@pytest.fixture
def make_http(authority: tuple[trustme.CA, Path]) -> Callable[..., ReceiverHttp]:
    def make(timeout: float = 20.0, **options: str) -> ReceiverHttp:
        return ReceiverHttp(trust=lambda: make_ssl_context(authority[1]), timeout=timedelta(seconds=timeout), **options)

    return make


@pytest.fixture
async def http(make_http: Callable[..., ReceiverHttp]) -> AsyncIterator[ReceiverHttp]:
    client = make_http()
    yield client
    await client.close()


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates.load()


@attrs.define
class Tokens:
    """Gives numbered tokens; a rejected one is followed by the next. fault: raised instead."""

    given: int = 1
    asked: list[tuple[str, str]] = attrs.field(factory=list)
    fault: Exception | None = None

    async def header(self, tenant: str, scope: str, *, rejected: str | None = None) -> str:
        self.asked.append((tenant, scope))
        if self.fault is not None:
            raise self.fault
        self.given += rejected == f"Bearer token-{self.given}"
        return f"Bearer token-{self.given}"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def body() -> Rendered:
    return Rendered(body='{"text": "grün 😀"}'.encode(), content_type="application/json")
