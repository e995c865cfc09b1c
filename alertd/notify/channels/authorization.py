"""Requests with a bearer token: one that is refused is replaced once, since it may have been revoked meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from alertd.errors import DeliveryError, DeliveryFailureReason, PollError, PollErrorKind
from alertd.notify.channels.answers import Answer
from alertd.notify.channels.port import TokenSource

_UNAUTHORIZED = 401
_PASSING = frozenset(
    {
        PollErrorKind.NETWORK,
        PollErrorKind.TIMEOUT,
        PollErrorKind.SERVER,
        PollErrorKind.THROTTLED,
        PollErrorKind.MALFORMED,
    }
)

Request = Callable[[Mapping[str, str]], Awaitable[Answer]]


async def authorized(tokens: TokenSource, tenant: str, scope: str, request: Request) -> Answer:
    """Make a request with an Authorization header, and again with another token if the first was refused."""
    header = await token_header(tokens, tenant, scope)
    answer = await request({"Authorization": header})
    if answer.status != _UNAUTHORIZED:
        return answer
    renewed = await token_header(tokens, tenant, scope, header)
    return await request({"Authorization": renewed}) if renewed != header else answer


async def token_header(tokens: TokenSource, tenant: str, scope: str, rejected: str | None = None) -> str:
    """Give the value of an Authorization header, as `TokenSource.header` does; raises DeliveryError."""
    try:
        return await tokens.header(tenant, scope, rejected=rejected)
    except PollError as exc:
        told = ": ".join(part for part in (f"no token of tenant {tenant}", str(exc), exc.cure) if part)
        raise DeliveryError(
            DeliveryFailureReason.AUTH, told, retriable=exc.kind in _PASSING, retry_after=_wait(exc)
        ) from exc


def _wait(exc: PollError) -> timedelta | None:
    return timedelta(seconds=exc.retry_after) if exc.retry_after is not None else None
