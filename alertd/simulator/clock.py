"""A clock that runs faster, so that a day's trouble fits into a minute's demonstration."""

from __future__ import annotations

from datetime import datetime

from alertd.clock import Clock


class AcceleratedClock:
    """Another clock, `speed` times as fast from the moment this is made.

    start: the time it shows then; by default the other clock's.
    """

    def __init__(self, base: Clock, *, speed: float, start: datetime | None = None) -> None:
        self._base = base
        self._speed = speed
        self._origin = base.now()
        self._start = start or self._origin

    def now(self) -> datetime:
        """Give the accelerated instant, aware, in UTC."""
        return self._start + (self._base.now() - self._origin) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for that much accelerated time."""
        await self._base.sleep(seconds / self._speed)
