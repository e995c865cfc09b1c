"""The inbox page of the demo: what came to the simulated receivers, as people would have seen it, while it comes.

Mails are shown in a frame that runs no scripts, loads nothing and cannot touch the page around it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any

import attrs
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from alertd.simulator.inbox import Arrival, Medium
from alertd.simulator.receivers import Receivers
from alertd.simulator.receivers_behaviour import Mode
from alertd.simulator.receivers_mail import mail_part, parse_mail
from alertd.simulator.receivers_teams import card_of
from alertd.web.guard import Guard
from alertd.web.listening import Listening
from alertd.web.pages import draw_card, fragment, page

_SHOWN_MAX = 60  # of each medium; the script keeps as many
_LOOK_SECONDS = 1.0  # how often the story is looked at
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_MOODS = {
    Mode.WELL: "",
    Mode.DOWN: "down: answers 503",
    Mode.THROTTLED: "throttled: answers 429",
    Mode.REFUSING: "refuses everything",
    Mode.HANGING: "hangs",
}


@attrs.frozen(kw_only=True)
class Chapter:
    """A part of the story that the demo plays. state: ``waiting``, ``running`` or ``done``."""

    title: str
    description: str
    state: str


Story = Callable[[], tuple[Chapter, ...]]


class InboxPage:
    """The page and what it fetches. status_url: of the daemon's own page, empty to have no link."""

    def __init__(
        self,
        receivers: Receivers,
        *,
        port: int = 0,
        story: Story = lambda: (),
        status_url: str = "",
    ) -> None:
        self._receivers = receivers
        self._inbox = receivers.inbox
        self._story = story
        self.status_url = status_url
        routes = [
            Route("/", self.home),
            Route("/events", self.events),
            Route("/arrivals", self.arrivals),
            Route("/mails/{number:int}", self.mail),
        ]
        self._listening = Listening(Guard(Starlette(routes=routes)), port=port)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self._listening.origin

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        await self._listening.start()

    async def stop(self) -> None:
        """Stop listening. Whoever watches is let go when the receivers stop, so stop them first. Idempotent."""
        await self._listening.stop()

    async def home(self, request: Request) -> Response:  # noqa: ARG002 - always the same page
        """Show everything that has come so far."""
        return page(
            "inbox.html.j2",
            feeds={medium.value: self._feed(medium) for medium in Medium},
            latest=self._inbox.latest,
            story=self._story(),
            status_url=self.status_url,
        )

    async def events(self, request: Request) -> Response:
        """Stream what comes from now on, as server-sent events."""
        text = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        after = int(text) if text.isdecimal() else 0
        return StreamingResponse(self._stream(after), media_type="text/event-stream")

    async def arrivals(self, request: Request) -> Response:  # noqa: ARG002
        """Give everything as JSON, newest first, for scripts."""
        plain = [_plain(arrival) for arrival in self._inbox.arrivals()]
        return Response(json.dumps({"arrivals": plain}, ensure_ascii=False), media_type="application/json")

    async def mail(self, request: Request) -> Response:
        """Show the HTML of a mail, alone and without rights."""
        arrival = self._inbox.find(request.path_params["number"])
        if arrival is None or arrival.medium is not Medium.EMAIL:
            raise HTTPException(404, "no such mail")
        html = mail_part(parse_mail(arrival.message.body), "html")
        headers = {"Content-Security-Policy": _MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
        return HTMLResponse(html.replace("<head>", '<head><base target="_blank">', 1), headers=headers)

    def _feed(self, medium: Medium) -> Markup:
        found = self._inbox.arrivals(medium=medium)[:_SHOWN_MAX]
        newest = next((arrival.number for arrival in found if arrival.accepted), 0)
        return Markup("").join(show(arrival, opened=arrival.number == newest) for arrival in found)

    async def _stream(self, after: int) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        told = ""
        while not self._inbox.closed:
            state = self._state()
            if state != told:
                yield _event("state", state)
                told = state
            for arrival in reversed(self._inbox.arrivals(after=after)):
                after = arrival.number
                yield _event("arrival", _fresh(arrival), number=after)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._inbox.more(after)
            yield ": still here\n\n"  # a client that has gone is noticed by writing to it

    def _state(self) -> str:
        moods = {medium.value: _MOODS[self._receivers.behaviour(medium).mode] for medium in Medium}
        return json.dumps({"story": fragment("inbox_story.html.j2", story=self._story()), "moods": moods})


def show(arrival: Arrival, *, opened: bool) -> Markup:
    """Draw one arrival as its channel would show it. opened: the message itself is unfolded."""
    context: Mapping[str, Any] = {"arrival": arrival, "opened": opened, "card": "", "text": ""}
    if arrival.medium is Medium.TEAMS and (card := card_of(arrival.message.body)):
        context = {**context, "card": draw_card(card)}
    if arrival.medium is Medium.EMAIL:
        context = {**context, "text": mail_part(parse_mail(arrival.message.body), "plain")}
    return Markup(fragment("inbox_arrival.html.j2", **context))  # noqa: S704 - the template's own output


def _fresh(arrival: Arrival) -> str:
    html = show(arrival, opened=arrival.accepted)
    return json.dumps({"number": arrival.number, "medium": arrival.medium.value, "html": html})


def _event(name: str, data: str, *, number: int | None = None) -> str:
    identifier = f"id: {number}\n" if number is not None else ""
    return f"{identifier}event: {name}\ndata: {data}\n\n"


def _plain(arrival: Arrival) -> dict[str, Any]:
    message = arrival.message
    return {
        "number": arrival.number,
        "at": arrival.at.isoformat(),
        "medium": arrival.medium.value,
        "answer": arrival.answer,
        "title": message.title,
        "reason": message.reason,
        "recipients": list(message.recipients),
        "faults": list(message.faults),
        "notes": list(message.notes),
        "bytes": len(message.body),
    }
