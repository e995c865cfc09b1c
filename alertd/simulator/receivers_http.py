"""What simulated receivers behind HTTP share: a body with a limit, the bad moods, and an application for a path.

An answer that hangs does so until the client goes or the receiver stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alertd.simulator.receivers_behaviour import Behaviour, Mode

BODY_BYTES_MAX = 1_000_000

Endpoint = Callable[[Request], Awaitable[Response]]

_TOLD = {
    Mode.DOWN: (503, "ServiceUnavailable", "The service is temporarily unavailable."),
    Mode.THROTTLED: (429, "TooManyRequests", "Rate limit is exceeded. Try again later."),
    Mode.REFUSING: (404, "WorkflowNotFound", "The workflow could not be found."),
}


async def body_of(request: Request) -> bytes:
    """Read a body, of which no more than the limit is kept."""
    kept = bytearray()
    async for part in request.stream():
        kept += part[: BODY_BYTES_MAX + 1 - len(kept)]
    return bytes(kept)


def bad_answer(mode: Mode, behaviour: Behaviour) -> Response | None:
    """Give the answer of a receiver in a bad mood that answers at all."""
    if mode not in _TOLD:
        return None
    status, code, message = _TOLD[mode]
    headers = {"Retry-After": f"{behaviour.retry_after:g}"} if mode is Mode.THROTTLED else {}
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


async def say_nothing(request: Request, stopping: asyncio.Event) -> Response:
    """Wait until the client has gone or the receiver stops."""
    waits = [asyncio.create_task(_gone(request)), asyncio.create_task(_set(stopping))]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return Response(status_code=503)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _set(event: asyncio.Event) -> None:
    await event.wait()
