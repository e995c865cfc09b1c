"""The simulator on the wire: one HTTP server that is sign-in service, Graph and managed identity endpoint at once.

It runs in the caller's event loop. An answer that hangs does so until the client goes or the server stops; one that drops breaks the
connection off without a byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import attrs
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from alertd.simulator.odata import Answer, Drop, Hang, Outcome

_VERSION_ROOT = "/v1.0"


@attrs.frozen(kw_only=True)
class Tls:
    """A server certificate and its key, as PEM files."""

    certificate: Path
    key: Path


@attrs.frozen(kw_only=True)
class Call:
    """One HTTP request as the simulator sees it. path: still escaped. prefix: what stands before the version root."""

    method: str
    path: str
    query: str
    prefix: str
    origin: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body read as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def options(self) -> dict[str, str]:
        """The query read as names and values."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


Respond = Callable[[Call], "tuple[Outcome, dict[str, str], float]"]


def make_app(respond: Respond, stopping: asyncio.Event) -> Starlette:
    """Make the application; `respond` gives the outcome, its headers, and the seconds to wait before it."""

    async def endpoint(request: HttpRequest) -> Response:
        outcome, headers, latency = respond(await _call(request))
        if latency:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), timeout=latency)
        if isinstance(outcome, Answer):
            return Response(outcome.body, outcome.status, headers)
        return _Silence(outcome, stopping)

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])


async def _call(request: HttpRequest) -> Call:
    raw = request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1") or request.url.path
    prefix, found, below = raw.partition(_VERSION_ROOT)
    return Call(
        method=request.method,
        path=below if found else raw,
        query=request.scope["query_string"].decode("latin-1"),
        prefix=f"{prefix}{found}" if found else "",
        origin=f"{request.url.scheme}://{request.headers.get('host', '')}",
        headers=dict(request.headers),
        body=await request.body(),
    )


class _Silence(Response):
    """No answer: waits for the client to go, or breaks the connection off."""

    def __init__(self, outcome: Hang | Drop, stopping: asyncio.Event) -> None:
        super().__init__()
        self._outcome = outcome
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        if isinstance(self._outcome, Drop):
            scope["state"]["transport"].abort()
        gone = asyncio.ensure_future(_disconnect(receive))
        stopped = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({gone, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (gone, stopped):
            task.cancel()
        if not gone.done():
            scope["state"]["transport"].abort()
            await _disconnect(receive)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Protocol(H11Protocol):
    """Lets an answer reach its connection, to break it off."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.leaving = asyncio.Event()

    async def main_loop(self) -> None:
        """Keep the date header fresh until it is time to leave, and leave at once."""
        while not self.leaving.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.leaving.wait(), timeout=1.0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when it listens."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the loop."""
        yield


class SimulatorServer:
    """The listening side; stopped, its port refuses connections, and started again it is the same port."""

    def __init__(self, respond: Respond, *, host: str, port: int, tls: Tls | None) -> None:
        self._respond = respond
        self._host = host
        self._port = port
        self._tls = tls
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def origin(self) -> str:
        """Scheme, host and port; a host that means every address is named as loopback."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(self._host, self._host)  # noqa: S104 - compared
        return f"{'https' if self._tls else 'http'}://{host}:{self._port}"

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._stopping.clear()
        listening = socket.create_server(
            (self._host, self._port), family=socket.AF_INET6 if ":" in self._host else socket.AF_INET
        )
        self._port = listening.getsockname()[1]
        self._server = _Server(self._config())
        self._task = asyncio.create_task(self._server.serve([listening]))
        await self._server.listening.wait()

    async def stop(self) -> None:
        """Stop listening and break off what hangs."""
        if self._server is None or self._task is None:
            return
        self._stopping.set()
        self._server.leaving.set()
        for connection in list(self._server.server_state.connections):
            # A peer that idles in another thread would never answer the farewell of TLS.
            connection.transport.abort()
        await self._task
        self._server = self._task = None

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            make_app(self._respond, self._stopping),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=self._tls.certificate if self._tls else None,
            ssl_keyfile=self._tls.key if self._tls else None,
            timeout_graceful_shutdown=2,
        )


@contextlib.asynccontextmanager
async def serving(server: SimulatorServer) -> AsyncIterator[SimulatorServer]:
    """Run a server for the length of a block."""
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
