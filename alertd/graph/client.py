"""One tenant's requests to Graph: signed in, repeated where that makes sense, bounded by a deadline.

A request is tried until it is answered, refused for good, or out of attempts or time. What waits for a Retry-After beyond the deadline
ends as throttled. A refused token is replaced once. Parts of a batch are tried again together, without those already answered.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime

import attrs
import msgspec
import structlog

from alertd import __version__
from alertd.clock import Clock
from alertd.errors import PollError, PollErrorKind
from alertd.graph.answers import GraphError, Place, failure
from alertd.graph.auth import TokenSource
from alertd.graph.batch import decode_batch, encode_batch
from alertd.graph.cures import CURES
from alertd.graph.paging import Page, check_link, decode_page
from alertd.graph.retry import backoff_seconds
from alertd.graph.settings import HttpSettings
from alertd.graph.transport import NoAnswer, Reply, Transport

ATTEMPTS_MAX = 4  # of a request that broke or was not answered
_ATTEMPTS_THROTTLED_MAX = (
    20  # of one that was told to wait: the deadline ends it, this only guards against a Retry-After of zero
)

_log = structlog.get_logger()


@attrs.frozen(kw_only=True)
class GraphClient:
    """The requests of one tenant; at most `settings.concurrency` of them are in flight.

    random: gives numbers from 0 to 1, for jitter.
    """

    base_url: str
    tokens: TokenSource
    transport: Transport
    clock: Clock
    random: Callable[[], float]
    settings: HttpSettings
    _free: asyncio.Semaphore = attrs.field(
        default=attrs.Factory(lambda self: asyncio.Semaphore(self.settings.concurrency), takes_self=True)
    )

    async def get(self, path: str, *, place: Place, deadline: datetime) -> Reply:
        """Get a path relative to the version root, or a whole URL; raises PollError."""
        url = path if "://" in path else f"{self.base_url}{path}"
        attempt = 0
        while True:
            attempt += 1
            try:
                return (await self._exchange("GET", url, None, place=place, deadline=deadline))[0]
            except PollError as exc:
                wait = self._wait_before_next([exc], attempt, deadline)
                if wait is None:
                    raise self._given_up(exc, deadline) from exc
            await self.clock.sleep(wait)

    async def pages(self, path: str, *, place: Place, deadline: datetime) -> AsyncIterator[Page]:
        """Get a collection page by page; raises PollError, also for a link to another host or in a circle."""
        seen: set[str] = set()
        link: str | None = path
        while link:
            if "://" in link:
                check_link(link, self.base_url, seen)
            page = decode_page((await self.get(link, place=place, deadline=deadline)).body)
            yield page
            link = page.next_link

    async def batch(self, paths: Sequence[str], *, deadline: datetime) -> list[msgspec.Raw | PollError]:
        """Get up to twenty paths in one batch: for each, in their order, the raw body or why there is none."""
        waiting = {str(index): path for index, path in enumerate(paths, start=1)}
        outcomes: dict[str, msgspec.Raw | PollError] = {}
        attempt = 0
        while waiting:
            attempt += 1
            outcomes |= await self._batch_attempt(waiting, deadline)
            errors = {name: error for name in waiting if isinstance(error := outcomes[name], PollError)}
            waiting = {name: waiting[name] for name, error in errors.items() if _is_retriable(error)}
            wait = self._wait_before_next([errors[name] for name in waiting], attempt, deadline)
            if wait is None:
                outcomes |= {name: self._given_up(errors[name], deadline) for name in waiting}
                break
            await self.clock.sleep(wait)
        return [outcomes[str(index)] for index in range(1, len(paths) + 1)]

    async def _batch_attempt(self, paths: Mapping[str, str], deadline: datetime) -> dict[str, msgspec.Raw | PollError]:
        """Send a batch once, and once more those parts whose token was refused; a failure of the envelope is every part's."""
        try:
            outcomes, header = await self._batch_once(paths, deadline)
            refused = {
                name: error
                for name, error in outcomes.items()
                if isinstance(error, GraphError) and error.token_rejected
            }
        except PollError as exc:
            return dict.fromkeys(paths, exc)
        if not refused:
            return outcomes
        try:
            await self.tokens.header(rejected=header, claims=next(iter(refused.values())).claims)
            return outcomes | (await self._batch_once({name: paths[name] for name in refused}, deadline))[0]
        except PollError as exc:
            return outcomes | dict.fromkeys(refused, exc)

    async def _batch_once(
        self, paths: Mapping[str, str], deadline: datetime
    ) -> tuple[dict[str, msgspec.Raw | PollError], str]:
        url = f"{self.base_url}/$batch"
        reply, header = await self._exchange("POST", url, encode_batch(paths), place=Place.BATCH, deadline=deadline)
        return dict(decode_batch(reply.body, paths, now=self.clock.now())), header

    async def _exchange(
        self, method: str, url: str, content: bytes | None, *, place: Place, deadline: datetime
    ) -> tuple[Reply, str]:
        """Send once, with a fresh token once more when the token was refused; gives the answer and the header it was got with."""
        async with self._free:
            header = await self.tokens.header()
            try:
                return await self._send(method, url, content, header, place=place, deadline=deadline), header
            except GraphError as exc:
                if not exc.token_rejected:
                    raise
                header = await self.tokens.header(rejected=header, claims=exc.claims)
            return await self._send(method, url, content, header, place=place, deadline=deadline), header

    async def _send(
        self, method: str, url: str, content: bytes | None, header: str, *, place: Place, deadline: datetime
    ) -> Reply:
        left = (deadline - self.clock.now()).total_seconds()
        if left <= 0:
            raise PollError(
                PollErrorKind.TIMEOUT, "the round ended before this was asked", cure=CURES[PollErrorKind.TIMEOUT]
            )
        reply = await self.transport.send(
            method,
            url,
            headers=_headers(header, content),
            content=content,
            timeout_seconds=min(self.settings.timeout, left),
        )
        error = failure(reply.status, reply.headers, reply.body, place=place, now=self.clock.now())
        if error is not None:
            raise error
        return reply

    def _wait_before_next(self, errors: Sequence[PollError], attempt: int, deadline: datetime) -> float | None:
        """Give the seconds until the next attempt, null for no further one; the longest Retry-After counts for all."""
        if not errors or not all(map(_is_retriable, errors)):
            return None
        throttled = any(error.kind is PollErrorKind.THROTTLED for error in errors)
        if attempt >= (_ATTEMPTS_THROTTLED_MAX if throttled else ATTEMPTS_MAX):
            return None
        asked = [error.retry_after for error in errors if error.retry_after is not None]
        wait = max(asked) if asked else backoff_seconds(attempt, self.random())
        if wait >= (deadline - self.clock.now()).total_seconds():
            return None
        _log.debug(
            "graph.retry_scheduled",
            host=self.base_url,
            kind=errors[0].kind.value,
            requests=len(errors),
            attempt=attempt,
            wait_seconds=wait,
        )
        return wait

    def _given_up(self, error: PollError, deadline: datetime) -> PollError:
        """What was told to wait longer than there is time ends as throttled, whatever its status was."""
        left = (deadline - self.clock.now()).total_seconds()
        if error.retry_after is None or error.retry_after < left or error.kind is PollErrorKind.THROTTLED:
            return error
        message = f"{error}; the round ended before its Retry-After of {error.retry_after:g} s"
        return PollError(
            PollErrorKind.THROTTLED, message, cure=CURES[PollErrorKind.THROTTLED], retry_after=error.retry_after
        )


def _is_retriable(error: PollError) -> bool:
    return isinstance(error, GraphError | NoAnswer) and error.retriable


def _headers(authorization: str, content: bytes | None) -> dict[str, str]:
    """Say who asks, and that this may wait: a poller is no person at a screen."""
    headers = {
        "Authorization": authorization,
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"alertd/{__version__}",
        "client-request-id": str(uuid.uuid4()),
        "x-ms-throttle-priority": "Low",
    }
    return headers if content is None else headers | {"Content-Type": "application/json"}
