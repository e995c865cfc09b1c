"""The inbox: everything that came to the simulated receivers, accepted or turned away, newest first.

It keeps the latest arrivals and forgets the oldest when it is full; somebody may wait for more. It belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import attrs

from alertd.clock import Clock, SystemClock

KEPT = 500  # arrivals; a card or mail has some 10 kB, so this bounds the inbox to about 5 MB


class Medium(enum.StrEnum):
    """By which way something came: the kinds of integrations."""

    TEAMS = "teams"
    EMAIL = "email"
    WEBHOOK = "webhook"


@attrs.frozen(kw_only=True)
class Message:
    """What a receiver makes of the bytes it was sent.

    title: what a person reads first. reason: why it was sent, as the message itself says, empty if it does not.
    faults: why the receiver cannot use it. notes: what was found in order, such as a signature that holds.
    """

    body: bytes
    content_type: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    recipients: tuple[str, ...] = ()
    title: str = ""
    reason: str = ""
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Arrival:
    """One message that came to a receiver.

    number: counts from one. answer: the HTTP or SMTP status it was answered with; 0 when nothing was answered.
    """

    number: int
    at: datetime
    medium: Medium
    message: Message
    answer: int

    @property
    def accepted(self) -> bool:
        """Whether the sender was told that it is taken."""
        return 200 <= self.answer < 300  # noqa: PLR2004 - both protocols say so with a 2

    @property
    def shown(self) -> bool:
        """Whether a person sees it: accepted, and fit to be shown."""
        return self.accepted and not self.message.faults


class Inbox:
    """Where all receivers put what they get. keep: how many arrivals are kept."""

    def __init__(self, *, clock: Clock | None = None, keep: int = KEPT) -> None:
        self._clock = clock or SystemClock()
        self._arrivals: deque[Arrival] = deque(maxlen=keep)
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()
        self._watchers: list[Callable[[Arrival], None]] = []
        self.closed = False

    def add(self, medium: Medium, message: Message, *, answer: int) -> Arrival:
        """Put something in, and wake whoever waits."""
        arrival = Arrival(
            number=next(self._numbers), at=self._clock.now(), medium=medium, message=message, answer=answer
        )
        self._arrivals.appendleft(arrival)
        self._wake()
        for watcher in self._watchers:
            watcher(arrival)
        return arrival

    def watch(self, watcher: Callable[[Arrival], None]) -> None:
        """Call this with every arrival from now on."""
        self._watchers.append(watcher)

    @property
    def latest(self) -> int:
        """The number of the newest arrival, 0 before the first."""
        return self._arrivals[0].number if self._arrivals else 0

    def arrivals(self, *, medium: Medium | None = None, after: int = 0) -> tuple[Arrival, ...]:
        """Give what came after this number, newest first."""
        return tuple(
            arrival
            for arrival in self._arrivals
            if arrival.number > after and (medium is None or arrival.medium is medium)
        )

    def shown(self, *, medium: Medium | None = None) -> tuple[Arrival, ...]:
        """Give what a person sees, newest first."""
        return tuple(arrival for arrival in self.arrivals(medium=medium) if arrival.shown)

    def find(self, number: int) -> Arrival | None:
        """Give an arrival that is still kept."""
        return next((arrival for arrival in self._arrivals if arrival.number == number), None)

    async def more(self, after: int) -> bool:
        """Wait until something came after this number; false once the inbox is closed and nothing did."""
        while self.latest <= after and not self.closed:
            await self._changed.wait()
        return self.latest > after

    async def until(self, wanted: Callable[[Iterable[Arrival]], bool]) -> None:
        """Wait until what is kept is as wanted."""
        while not wanted(self._arrivals):
            await self._changed.wait()

    def close(self) -> None:
        """Let go of everybody who waits for more."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
