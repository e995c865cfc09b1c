"""How commands reach the running daemon: one request and one answer, a line of JSON each, on a loopback port.

{"token": ..., "command": "reload", "arguments": {}}  ->  {"ok": true, "result": {...}}
                                                      ->  {"ok": false, "kind": "usage", "message": "..."}

Port and token stand in the lock file, which only its owner can read: whoever knows the token may ask. Requests are bounded in size, time and
number; nobody who does not know the token learns anything.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import attrs
import msgspec
import structlog

from alertd.errors import AlertdError, StoreError, UsageError
from alertd.store.lock import LockInfo

HOST = "127.0.0.1"
REQUEST_BYTES_MAX = 1 << 20
ANSWER_BYTES_MAX = 1 << 26
REQUEST_SECONDS_MAX = 5.0  # for a request to arrive
CONNECTIONS_MAX = 16

Arguments = Mapping[str, Any]
Handler = Callable[[Arguments], Awaitable[Mapping[str, Any]]]
Kind = Literal["refused", "usage", "failed", "timeout", "bug"]

_log = structlog.get_logger(__name__)


@attrs.frozen(kw_only=True)
class _Request:
    token: str
    command: str
    arguments: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class _Answer:
    """kind: why there is no result. refused: not let in. usage: no such command, or used wrongly. failed: tried in vain."""

    ok: bool
    result: dict[str, Any] = attrs.field(factory=dict)
    kind: Kind | None = None
    message: str = ""


class _Refusal(Exception):  # noqa: N818 - an answer on its way, not a fault of ours
    def __init__(self, kind: Kind, message: str) -> None:
        self.answer = _Answer(ok=False, kind=kind, message=message)
        super().__init__(message)


class ControlServer:
    """Answers commands by name; `async with` starts and stops it.

    commands: each takes the request's arguments and gives what is answered; UsageError and other AlertdErrors become answers.
    wait_seconds_max: how long a command may take.
    """

    def __init__(self, commands: Mapping[str, Handler], *, wait_seconds_max: float = 120.0) -> None:
        self.token = secrets.token_urlsafe(32)
        self._commands = commands
        self._wait_seconds_max = wait_seconds_max
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it listens on; zero before it is started."""
        return self._server.sockets[0].getsockname()[1] if self._server is not None and self._server.sockets else 0

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(self._accept, HOST, 0, limit=REQUEST_BYTES_MAX)
        except OSError as exc:
            raise StoreError(f"no port on {HOST} for the control listener: {exc.strerror}") from exc
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= CONNECTIONS_MAX:
            _log.warning("control.turned_away", connections=len(self._connections))
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(_line(await self._answer(reader)))
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                await writer.drain()
            writer.close()
        except (OSError, TimeoutError):
            _log.debug("control.connection_lost")
        finally:
            if not writer.is_closing():  # given up: nothing that is still to be sent may hold up the stop
                writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> _Answer:
        try:
            request = await self._request(reader)
            return _Answer(ok=True, result=dict(await self._result(request)))
        except _Refusal as refusal:
            return refusal.answer

    async def _request(self, reader: asyncio.StreamReader) -> _Request:
        try:
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                line = await reader.readline()
            request = msgspec.json.decode(line, type=_Request)
        except (ValueError, TimeoutError) as exc:  # too long, no JSON, or not of that shape
            raise _Refusal("refused", "no request that can be read") from exc
        if not hmac.compare_digest(request.token.encode(), self.token.encode()):
            raise _Refusal("refused", "the token is wrong")
        return request

    async def _result(self, request: _Request) -> Mapping[str, Any]:
        handler = self._commands.get(request.command)
        if handler is None:
            raise _Refusal("usage", f"no command {request.command!r}; known are {', '.join(sorted(self._commands))}")
        try:
            async with asyncio.timeout(self._wait_seconds_max):
                return await handler(request.arguments)
        except UsageError as exc:
            raise _Refusal("usage", str(exc)) from exc
        except AlertdError as exc:
            raise _Refusal("failed", str(exc)) from exc
        except TimeoutError as exc:
            raise _Refusal("timeout", f"{request.command} took longer than {self._wait_seconds_max:g} s") from exc
        except Exception as exc:
            _log.exception("control.bug", command=request.command)
            raise _Refusal("bug", f"{request.command} failed: see the daemon's log") from exc


async def call(
    info: LockInfo, command: str, arguments: Arguments | None = None, *, wait_seconds: float = 30.0
) -> dict[str, Any]:
    """Ask the process that holds the lock; give its answer.

    Raises UsageError for what is asked wrongly, StoreError for what could not be done or if nobody answers.
    """
    if not info.port:
        raise StoreError(f"process {info.pid} is just starting: try again in a moment")
    request = _Request(token=info.token, command=command, arguments=dict(arguments or {}))
    try:
        async with asyncio.timeout(wait_seconds):
            line = await _exchange(info, request)
    except TimeoutError as exc:
        raise StoreError(f"process {info.pid} did not answer `{command}` within {wait_seconds:g} s") from exc
    except (OSError, ValueError) as exc:
        raise StoreError(f"process {info.pid} cannot be reached on {info.host}:{info.port}: {exc}") from exc
    return _result_of(line, info)


async def _exchange(info: LockInfo, request: _Request) -> bytes:
    reader, writer = await asyncio.open_connection(info.host, info.port, limit=ANSWER_BYTES_MAX)
    try:
        writer.write(_line(request))
        await writer.drain()
        return await reader.readline()
    finally:
        writer.close()


def _result_of(line: bytes, info: LockInfo) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(line, type=_Answer)
    except msgspec.MsgspecError as exc:
        raise StoreError(f"process {info.pid} gave no answer that can be read: it may be busy or stopping") from exc
    if answer.ok:
        return answer.result
    raise UsageError(answer.message) if answer.kind == "usage" else StoreError(answer.message)


def _line(message: _Request | _Answer) -> bytes:
    return msgspec.json.encode(message) + b"\n"
