"""A contestant that calls one function over and over."""

from __future__ import annotations

from collections.abc import Callable


class Loop:
    """Calls what `make` gives so often. make: called in the contestant's own process."""

    def __init__(self, make: Callable[[], Callable[[], object]], times: int) -> None:
        self._make = make
        self._times = times
        self._work: Callable[[], object] = lambda: None

    async def prepare(self) -> None:
        """Make it, and call it once, so that what is made at first use is made."""
        self._work = self._make()
        self._work()

    async def turn(self) -> int:
        """Call it."""
        work = self._work
        for _ in range(self._times):
            work()
        return self._times

    async def close(self) -> None:
        """Nothing to release."""
