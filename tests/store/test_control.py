"""The control listener: asked by whoever knows the token, bounded for everybody, in plain words."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from alertd.errors import ConfigError, Problem, StoreError, UsageError
from alertd.store import control
from alertd.store.control import ControlServer, call
from alertd.store.lock import LockInfo, read_lock

pytestmark = pytest.mark.anyio


async def _echo(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"arguments": arguments, "at": datetime(2026, 1, 5, tzinfo=UTC)}


async def _misused(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    raise UsageError("a silence needs an author")


async def _refused(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    raise ConfigError([Problem(file="alertd.yaml", line=3, found="`polll`", expected="`poll`")])


async def _broken(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    raise KeyError("token=hunter2")


async def _endless(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    await asyncio.Event().wait()
    return {}


COMMANDS = {"echo": _echo, "misused": _misused, "refused": _refused, "broken": _broken, "endless": _endless}


@pytest.fixture
async def server() -> AsyncIterator[ControlServer]:
    async with ControlServer(COMMANDS, wait_seconds_max=0.2) as started:
        yield started


@pytest.fixture
def info(server: ControlServer) -> LockInfo:
    return LockInfo(pid=4711, host=control.HOST, port=server.port, token=server.token)


async def raw(info: LockInfo, *sent: bytes) -> dict[str, Any]:
    """Send bytes as they are, and give what is answered."""
    reader, writer = await asyncio.open_connection(info.host, info.port)
    for part in sent:
        writer.write(part)
    answer = await reader.readline()
    writer.close()
    return dict(json.loads(answer)) if answer else {}


async def test_a_command_is_answered(info: LockInfo) -> None:
    answer = await call(info, "echo", {"name": "störe", "numbers": [1, None]})

    assert answer == {"arguments": {"name": "störe", "numbers": [1, None]}, "at": "2026-01-05T00:00:00Z"}
    assert await call(info, "echo") == {"arguments": {}, "at": "2026-01-05T00:00:00Z"}


async def test_large_arguments_and_answers_pass(info: LockInfo) -> None:
    assert (await call(info, "echo", {"text": "x" * 900_000}))["arguments"] == {"text": "x" * 900_000}


@pytest.mark.parametrize(
    ("command", "error", "message"),
    [
        pytest.param("misused", UsageError, "a silence needs an author", id="used wrongly"),
        pytest.param("?", UsageError, "no command '\\?'; known are broken, echo", id="no such command"),
        pytest.param("refused", StoreError, "alertd.yaml:3: found `polll`", id="tried in vain"),
        pytest.param("broken", StoreError, "broken failed: see the daemon's log", id="a bug"),
        pytest.param("endless", StoreError, "endless took longer than 0.2 s", id="never done"),
    ],
)
async def test_what_goes_wrong_is_told_in_plain_words(
    info: LockInfo, command: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        await call(info, command)

    assert "hunter2" not in str(raised.value)


async def test_nobody_is_let_in_without_the_token(info: LockInfo) -> None:
    with pytest.raises(StoreError, match="the token is wrong"):
        await call(attrs.evolve(info, token="guess"), "echo")


async def test_an_unknown_command_is_not_named_to_strangers(info: LockInfo) -> None:
    answer = await raw(info, b'{"token": "", "command": "?"}\n')

    assert answer["kind"] == "refused"
    assert "echo" not in answer["message"]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HTTP/1.1\r\n", id="HTTP"),
        pytest.param(b"[]\n", id="JSON of another shape"),
        pytest.param(b'{"token": 1, "command": "echo"}\n', id="a token that is no text"),
        pytest.param(b"\xff\xfe\n", id="no text"),
        pytest.param(b"\n", id="an empty line"),
    ],
)
async def test_what_is_no_request_is_refused(info: LockInfo, sent: bytes) -> None:
    assert (await raw(info, sent))["kind"] == "refused"


async def test_a_request_without_end_is_refused(info: LockInfo) -> None:
    """The listener takes so much and no more: what it answers may be lost with what it did not read."""
    try:
        answer = await raw(info, *[b"x" * (1 << 16)] * 40)
    except OSError:
        answer = {}

    assert answer.get("kind") in {None, "refused"}
    assert await call(info, "echo")


async def test_a_request_that_does_not_come_is_given_up(info: LockInfo, monkeypatch: Any) -> None:
    monkeypatch.setattr(control, "REQUEST_SECONDS_MAX", 0.05)

    assert (await raw(info, b'{"token"'))["kind"] == "refused"


async def test_too_many_at_once_are_turned_away(info: LockInfo, monkeypatch: Any) -> None:
    monkeypatch.setattr(control, "CONNECTIONS_MAX", 1)
    first = asyncio.create_task(call(info, "endless"))
    while not first.done():
        answered = await asyncio.gather(call(info, "echo"), return_exceptions=True)
        if isinstance(answered[0], StoreError):
            break

    assert re.search("may be busy|cannot be reached", str(answered[0]))
    await asyncio.gather(first, return_exceptions=True)
    assert await call(info, "echo")


async def test_a_caller_that_hangs_up_disturbs_nobody(info: LockInfo) -> None:
    _, writer = await asyncio.open_connection(info.host, info.port)
    writer.close()

    assert await call(info, "echo")


async def test_stopping_ends_what_is_under_way() -> None:
    async with ControlServer(COMMANDS) as server:
        info = LockInfo(pid=4711, host=control.HOST, port=server.port, token=server.token)
        waiting = asyncio.create_task(call(info, "endless"))
        await call(info, "echo")

    with pytest.raises(StoreError):
        await waiting
    with pytest.raises(StoreError, match=r"process 4711 cannot be reached on 127\.0\.0\.1"):
        await call(info, "echo")


async def test_a_daemon_that_does_not_listen_yet() -> None:
    with pytest.raises(StoreError, match="process 4711 is just starting"):
        await call(LockInfo(pid=4711), "echo")


async def test_a_daemon_that_does_not_answer_in_time(info: LockInfo) -> None:
    with pytest.raises(StoreError, match=r"did not answer `endless` within 0\.05 s"):
        await call(info, "endless", wait_seconds=0.05)


async def test_something_else_that_answers(info: LockInfo) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\n")
        writer.close()

    other = await asyncio.start_server(greet, control.HOST, 0)
    async with other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(StoreError, match="no answer that can be read"):
            await call(attrs.evolve(info, port=port), "echo")


DAEMON = """
import asyncio, sys
from pathlib import Path
from alertd.store.control import HOST, ControlServer
from alertd.store.lock import StoreLock

async def main():
    done = asyncio.Event()
    async def stop(arguments):
        done.set()
        return {"stopped": arguments["why"]}
    with StoreLock.hold(Path(sys.argv[1])) as lock:
        async with ControlServer({"stop": stop}) as server:
            lock.publish(HOST, server.port, server.token)
            print("listening", flush=True)
            await done.wait()
            await asyncio.sleep(0.1)

asyncio.run(main())
"""


async def test_a_command_reaches_a_daemon_by_its_lock_file(tmp_path: Path) -> None:
    """Two real processes, as `alertd reload` and `alertd run` are."""
    daemon = _start(tmp_path / "alertd.db")
    with daemon:
        info = read_lock(tmp_path / "alertd.db")

        assert info is not None
        assert info.pid == daemon.pid
        assert await call(info, "stop", {"why": "test"}) == {"stopped": "test"}
        assert daemon.wait(10) == 0
    assert read_lock(tmp_path / "alertd.db") is None


def _start(database: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DAEMON, str(database)]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert daemon.stdout is not None
    assert daemon.stdout.readline() == "listening\n"
    return daemon
