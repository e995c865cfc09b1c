"""When to try again: pure, clamped, and never before the service allows it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRY_AFTER_MAX = 600.0  # seconds; anything longer lies beyond every round
_BACKOFF_FIRST, _BACKOFF_MAX = 1.0, 30.0  # seconds
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Give the seconds to wait from `now`, from 0 to RETRY_AFTER_MAX; null where the header is missing or makes no sense.

    Graph writes decimal seconds (``2.128``); a proxy may write an HTTP date. Source: RFC 9110, 10.2.3, and
    https://learn.microsoft.com/graph/throttling
    """
    text = (value or "").strip()
    if _NUMBER.fullmatch(text):
        return min(float(text), RETRY_AFTER_MAX)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max((at - now).total_seconds(), 0.0), RETRY_AFTER_MAX)


def backoff_seconds(attempt: int, random: float) -> float:
    """Give the wait after a failed attempt, counted from one: it doubles up to half a minute, and jitter takes off up to a half.

    random: from 0 to 1.
    """
    longest = min(_BACKOFF_FIRST * 2.0 ** min(attempt - 1, 16), _BACKOFF_MAX)
    return longest * (1 - random / 2)
