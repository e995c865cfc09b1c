"""A clock that stands still until it is told to jump: a rehearsal of four weeks takes as long as its decisions take."""

from __future__ import annotations

from datetime import datetime, timedelta


class VirtualClock:
    """The one clock of a rehearsal; it only ever goes forward."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Give the present instant."""
        return self._now

    def jump_to(self, instant: datetime) -> None:
        """Make it this instant. Raises ValueError for one that lies behind."""
        if instant < self._now:
            raise ValueError(f"the clock cannot go back from {self._now} to {instant}")
        self._now = instant

    async def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self._now += timedelta(seconds=max(0.0, seconds))
