"""How long a delivery waits between attempts: 5s, 15s, 1m, then 5m each, a tenth of it by chance; Retry-After wins if longer."""

from __future__ import annotations

from datetime import timedelta

_WAITS = (timedelta(seconds=5), timedelta(seconds=15), timedelta(minutes=1))
_LATER = timedelta(minutes=5)
JITTER = 0.1


def wait_before_next(attempts: int, retry_after: timedelta | None = None, *, chance: float = 0.0) -> timedelta:
    """Give the wait after so many failed attempts (counted from one).

    chance: between 0 and 1, how much of the jitter is added; the virtual clock gives none.
    """
    own = (_WAITS[attempts - 1] if attempts <= len(_WAITS) else _LATER) * (1 + JITTER * chance)
    return max(own, retry_after or timedelta(0))
