"""What a receiver's answer means: accepted, to be tried again, or refused for good. Pure.

408, 425, 429 and 5xx are tried again; any other answer is final. A redirect is final too: following it would hand the
secret in the URL, and the message, to somebody else.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import attrs

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.redaction import redact
from alertd.render.hostile import plain

RETRY_AFTER_MAX = timedelta(hours=24)

_RETRIED: Mapping[int, DeliveryFailureReason] = {
    408: DeliveryFailureReason.TIMEOUT,
    425: DeliveryFailureReason.SERVER_ERROR,
    429: DeliveryFailureReason.RATE_LIMITED,
}
_SHOWN_MAX = 200  # characters of an answer's body in an error


@attrs.frozen(kw_only=True)
class Answer:
    """A receiver's answer. headers: by lower-case name. text: the beginning of the body."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    text: str = ""

    @property
    def accepted(self) -> bool:
        """Whether it says yes. What happens behind it, nobody tells."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own classes


def refusal(answer: Answer, who: str, *, now: datetime, hint: str = "") -> DeliveryError:
    """Make an error of an answer that is no yes. who: names the receiver without any secret. hint: what to do about it."""
    reason, retriable = _meaning(answer.status)
    said = plain(redact(answer.text), _SHOWN_MAX)
    told = [
        f"{who} answered {answer.status}",
        "a redirect, which is not followed" if _is_redirect(answer) else said,
        hint,
    ]
    return DeliveryError(
        reason,
        ": ".join(part for part in told if part),
        retriable=retriable,
        retry_after=retry_after(answer.headers.get("retry-after"), now) if retriable else None,
        status=answer.status,
    )


def _is_redirect(answer: Answer) -> bool:
    return 300 <= answer.status < 400  # noqa: PLR2004


def _meaning(status: int) -> tuple[DeliveryFailureReason, bool]:
    if status in _RETRIED:
        return _RETRIED[status], True
    if status >= 500:  # noqa: PLR2004
        return DeliveryFailureReason.SERVER_ERROR, True
    return (DeliveryFailureReason.AUTH if status in {401, 403, 407} else DeliveryFailureReason.CLIENT_ERROR), False


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read Retry-After: seconds, also with a fraction, or an HTTP date; between zero and a day, null if it is neither."""
    if value is None:
        return None
    seconds = _seconds(value.strip())
    wait = timedelta(seconds=seconds) if seconds is not None else _until(value.strip(), now)
    return min(max(wait, timedelta(0)), RETRY_AFTER_MAX) if wait is not None else None


def _seconds(text: str) -> float | None:
    whole, _, fraction = text.partition(".")
    digits = (whole + fraction).isascii() and (whole + fraction).isdigit()
    return min(float(text), RETRY_AFTER_MAX.total_seconds()) if digits else None


def _until(text: str, now: datetime) -> timedelta | None:
    try:
        instant = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)) - now
