"""A server that answers as Graph does to what a poller asks, and does nothing else: a contestant is never to wait for it.

HTTP/1.1 by hand, since the frameworks cost more than what is measured. GET /turn/N sets the round that answers tell of. GET /sick/N puts a job
into quarantine; POST /posts takes what is told about it, /untold says of how many nothing was yet, and /delays after how many seconds of the others.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from datetime import UTC, datetime, timedelta

import msgspec

from bench.bodies import PAGE, Bodies, principal, principal_number
from bench.machine import pin, server_core

_HEAD_END = b"\r\n\r\n"
_JOBS, _PRINCIPALS = "/synchronization/jobs", "/servicePrincipals/"


class _Part(msgspec.Struct):
    id: str
    url: str


class _Batch(msgspec.Struct):
    requests: list[_Part]


_batch = msgspec.json.Decoder(_Batch)


_JOB = re.compile(rb"Workday2AD\.([0-9a-f]{8})")


class Answers:
    """What is answered. jobs: how many service principals there are, each with one job."""

    def __init__(self, jobs: int, now: datetime) -> None:
        self._jobs = jobs
        self._bodies = Bodies(now)
        self._turn = 0
        self._fell: dict[int, float] = {}
        self._told: dict[int, float] = {}
        self.origin = ""

    def to(self, method: str, path: str, body: bytes) -> bytes:
        """Give the body of an answer."""
        if path.startswith(("/sick/", "/posts", "/untold", "/delays")):
            return msgspec.json.encode(self._transitions(path, body))
        if method == "POST":
            asked = [(part.id.encode(), _number(part.url)) for part in _batch.decode(body).requests]
            return self._bodies.batch(asked, self._turn)
        if path.startswith("/turn/"):
            self._turn = int(path.removeprefix("/turn/"))
            return b"{}"
        if path.endswith(_JOBS):
            return self._bodies.jobs(_number(path), self._turn)
        return self._page(int(path.partition("$skiptoken=")[2] or 0))

    def _transitions(self, path: str, body: bytes) -> object:
        now = time.monotonic()
        if path.startswith("/sick/"):
            self._fell[int(path.removeprefix("/sick/"))] = now
            self._bodies.fallen.update(self._fell)
        for found in _JOB.findall(body):
            self._told.setdefault(int(found, 16), now)
        told = [self._told[number] - fell for number, fell in self._fell.items() if number in self._told]
        return told if path == "/delays" else len(self._fell) - len(told)

    def _page(self, first: int) -> bytes:
        page = {"value": [principal(number) for number in range(first, min(first + PAGE, self._jobs))]}
        if first + PAGE < self._jobs:
            page["@odata.nextLink"] = f"{self.origin}/v1.0/servicePrincipals?$skiptoken={first + PAGE}"  # type: ignore[assignment]
        return msgspec.json.encode(page)


def _number(path: str) -> int:
    return principal_number(path.partition(_PRINCIPALS)[2])


class _Connection(asyncio.Protocol):
    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._transport: asyncio.Transport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream server makes no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that has come in whole."""
        self._received += data
        while (end := self._received.find(_HEAD_END)) >= 0:
            head = self._received[:end]
            length = _content_length(head)
            begin = end + len(_HEAD_END)
            if len(self._received) < begin + length:
                return
            body, self._received = self._received[begin : begin + length], self._received[begin + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.partition(b"\r\n")[0].decode("ascii").split(" ")
        answer = self._answers.to(method, path, body)
        assert self._transport is not None  # noqa: S101 - what came in came over it
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
        )


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return int(head[at + 17 :].partition(b"\r\n")[0]) if at >= 0 else 0


async def serve(jobs: int) -> None:
    """Serve on a free port, which is printed, until stdin ends."""
    answers = Answers(jobs, datetime.now(UTC) - timedelta(minutes=2))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers), "127.0.0.1", 0)
    answers.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(answers.origin, flush=True)  # noqa: T201 - whoever started it reads this
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    pin(server_core())
    asyncio.run(serve(int(sys.argv[1])))
