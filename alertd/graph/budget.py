"""How many requests a tenant may be sent: never more than so many in any sixty seconds, however they fall.

A bucket that fills evenly would let twice as many through in the minute in which it is found full. So the requests of the last minute are
remembered instead: one entry an HTTP request, whatever its number of parts. Pure: it is told the time and says how long to wait.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)


class Budget:
    """The requests of one tenant in the last minute. per_minute: how many there may be."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._spent: deque[tuple[datetime, int]] = deque()
        self._total = 0

    def room(self, now: datetime) -> int:
        """Give how many requests may go out at once."""
        self._forget(now)
        return self.per_minute - self._total

    def wait_seconds(self, count: int, now: datetime) -> float:
        """Give the seconds until so many may go out; 0 where they may at once. More than a minute's worth waits for an empty minute."""
        missing, free_at = min(count, self.per_minute) - self.room(now), now
        for at, number in self._spent:
            if missing <= 0:
                break
            missing -= number
            free_at = at + WINDOW
        return (free_at - now).total_seconds()

    def spend(self, count: int, now: datetime) -> None:
        """Note requests that go out."""
        self._spent.append((now, count))
        self._total += count

    def _forget(self, now: datetime) -> None:
        while self._spent and self._spent[0][0] + WINDOW <= now:
            self._total -= self._spent.popleft()[1]
