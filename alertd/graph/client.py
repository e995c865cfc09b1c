"""One tenant's requests to Graph: signed in, repeated where that makes sense, bounded by a deadline.

A request is tried until it is answered, refused for good, or out of attempts or time. What waits for a Retry-After beyond the deadline
ends as throttled. A refused token is replaced once. Parts of a batch are tried again together, without those already answered. A tenant
with a budget of requests waits for its turn, parts of a batch counted one by one; what would come too late is not sent at all.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import attrs
import msgspec
import structlog

from alertd import __version__
from alertd.clock import Clock
from alertd.errors import PollError, PollErrorKind
from alertd.graph.answers import GraphError, Place, failure
from alertd.graph.auth import TokenSource
from alertd.graph.batch import PARTS_MAX, decode_batch, encode_batch
from alertd.graph.budget import Budget
from alertd.graph.cures import BUDGET_CURE, CURES
from alertd.graph.meter import Meter
from alertd.graph.paging import Page, check_link, decode_page
from alertd.graph.retry import backoff_seconds
from alertd.graph.settings import HttpSettings
from alertd.graph.transport import NoAnswer, Reply, Transport

ATTEMPTS_MAX = 4  # of a request that broke or was not answered
_ATTEMPTS_THROTTLED_MAX = (
    20  # of one that was told to wait: the deadline ends it, this only guards against a Retry-After of zero
)

_log = structlog.get_logger()


class BudgetSpentError(PollError):
    """It was not sent: the tenant's own budget of requests has no room for it before the deadline."""

    def __init__(self) -> None:
        message = "the budget of requests has no room for this in the round"
        super().__init__(PollErrorKind.THROTTLED, message, cure=BUDGET_CURE)


@attrs.frozen(kw_only=True)
class _Request:
    """What is sent. counted: the requests it is for Graph, one for each part of a batch. repeated: it was sent before."""

    method: str
    url: str
    place: Place
    content: bytes | None = None
    counted: int = 1
    repeated: bool = False


@attrs.frozen(kw_only=True)
class GraphClient:
    """The requests of one tenant; at most `settings.concurrency` of them are in flight.

    random: gives numbers from 0 to 1, for jitter. budget: how many requests there may be; null means as many as are needed.
    """

    base_url: str
    tokens: TokenSource
    transport: Transport
    clock: Clock
    random: Callable[[], float]
    settings: HttpSettings
    budget: Budget | None = None
    meter: Meter = attrs.field(factory=Meter)
    _free: asyncio.Semaphore = attrs.field(
        default=attrs.Factory(lambda self: asyncio.Semaphore(self.settings.concurrency), takes_self=True)
    )
    _turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)  # who waits for the budget is served in order

    @property
    def parts_max(self) -> int:
        """How many paths one batch may have: with a budget, so many that batches of that size use a minute up."""
        if self.budget is None:
            return PARTS_MAX
        return self.budget.per_minute // -(-self.budget.per_minute // PARTS_MAX)

    async def get(self, path: str, *, place: Place, deadline: datetime) -> Reply:
        """Get a path relative to the version root, or a whole URL; raises PollError."""
        url = path if "://" in path else f"{self.base_url}{path}"
        attempt = 0
        while True:
            attempt += 1
            request = _Request(method="GET", url=url, place=place, repeated=attempt > 1)
            try:
                return (await self._exchange(request, deadline))[0]
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
        """Get up to `parts_max` paths in one batch: for each, in their order, the raw body or why there is none.

        BudgetSpentError is among the reasons only where a path was never sent.
        """
        waiting = {str(index): path for index, path in enumerate(paths, start=1)}
        outcomes: dict[str, msgspec.Raw | PollError] = {}
        attempt = 0
        while waiting:
            attempt += 1
            try:
                outcomes |= await self._batch_attempt(waiting, deadline, repeated=attempt > 1)
            except BudgetSpentError as exc:
                outcomes = dict.fromkeys(waiting, exc) | outcomes
                break
            errors = {name: error for name in waiting if isinstance(error := outcomes[name], PollError)}
            waiting = {name: waiting[name] for name, error in errors.items() if _is_retriable(error)}
            wait = self._wait_before_next([errors[name] for name in waiting], attempt, deadline)
            if wait is None:
                outcomes |= {name: self._given_up(errors[name], deadline) for name in waiting}
                break
            await self.clock.sleep(wait)
        return [outcomes[str(index)] for index in range(1, len(paths) + 1)]

    async def _batch_attempt(
        self, paths: Mapping[str, str], deadline: datetime, *, repeated: bool
    ) -> dict[str, msgspec.Raw | PollError]:
        """Send a batch once, and once more those parts whose token was refused; a failure of the envelope is every part's.

        Raises BudgetSpentError where nothing was sent.
        """
        try:
            outcomes, header = await self._batch_once(paths, deadline, repeated=repeated)
            refused = {
                name: error
                for name, error in outcomes.items()
                if isinstance(error, GraphError) and error.token_rejected
            }
        except BudgetSpentError:
            raise
        except PollError as exc:
            return dict.fromkeys(paths, exc)
        if not refused:
            return outcomes
        try:
            await self.tokens.header(rejected=header, claims=next(iter(refused.values())).claims)
            again = {name: paths[name] for name in refused}
            return outcomes | (await self._batch_once(again, deadline, repeated=True))[0]
        except BudgetSpentError:
            return outcomes
        except PollError as exc:
            return outcomes | dict.fromkeys(refused, exc)

    async def _batch_once(
        self, paths: Mapping[str, str], deadline: datetime, *, repeated: bool
    ) -> tuple[dict[str, msgspec.Raw | PollError], str]:
        request = _Request(
            method="POST",
            url=f"{self.base_url}/$batch",
            place=Place.BATCH,
            content=encode_batch(paths, _PRIORITY),
            counted=len(paths),
            repeated=repeated,
        )
        reply, header = await self._exchange(request, deadline)
        try:
            outcomes = decode_batch(reply.body, paths, now=self.clock.now())
        except GraphError as exc:
            self._count(request, exc)
            raise
        kinds = [outcome.kind if isinstance(outcome, PollError) else None for outcome in outcomes.values()]
        self.meter.count(request.place, *kinds, repeated=repeated)
        return dict(outcomes), header

    async def _exchange(self, request: _Request, deadline: datetime) -> tuple[Reply, str]:
        """Send once, with a fresh token once more when the token was refused; gives the answer and the header it was got with."""
        async with self._free:
            header = await self.tokens.header()
            try:
                return await self._send(request, header, deadline), header
            except GraphError as exc:
                if not exc.token_rejected:
                    raise
                header = await self.tokens.header(rejected=header, claims=exc.claims)
            return await self._send(attrs.evolve(request, repeated=True), header, deadline), header

    async def _send(self, request: _Request, header: str, deadline: datetime) -> Reply:
        """Send once, when it is its turn; a good batch is counted by whoever reads its parts."""
        await self._take_turn(request.counted, deadline)
        left = (deadline - self.clock.now()).total_seconds()
        if left <= 0:
            raise PollError(
                PollErrorKind.TIMEOUT, "the round ended before this was asked", cure=CURES[PollErrorKind.TIMEOUT]
            )
        try:
            reply = await self.transport.send(
                request.method,
                request.url,
                headers=_headers(header, request.content),
                content=request.content,
                timeout_seconds=min(self.settings.timeout, left),
            )
        except NoAnswer as exc:
            self._count(request, exc)
            raise
        error = failure(reply.status, reply.headers, reply.body, place=request.place, now=self.clock.now())
        if error is not None:
            self._count(request, error)
            raise error
        if request.place is not Place.BATCH:
            self._count(request, None)
        return reply

    def _count(self, request: _Request, error: PollError | None) -> None:
        """Count a request all of whose parts came to the same."""
        kind = error.kind if error is not None else None
        self.meter.count(request.place, *[kind] * request.counted, repeated=request.repeated)

    async def _take_turn(self, count: int, deadline: datetime) -> None:
        """Wait until the budget has room; raises BudgetSpentError at once where that is too late."""
        if self.budget is None:
            return
        async with self._turn:
            wait = self.budget.wait_seconds(count, self.clock.now())
            if self.clock.now() + timedelta(seconds=wait) >= deadline:
                raise BudgetSpentError
            if wait:
                await self.clock.sleep(wait)
            self.budget.spend(count, self.clock.now())

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


# Microsoft asks background work to let people's requests pass: "Low" is throttled first. Each part of a batch is throttled by itself, so each
# says so, beside the envelope. Source: https://learn.microsoft.com/graph/throttling-limits (identity and access, request headers)
_PRIORITY = {"x-ms-throttle-priority": "Low"}


def _headers(authorization: str, content: bytes | None) -> dict[str, str]:
    """Say who asks, and that this may wait: a poller is no person at a screen."""
    headers = {
        "Authorization": authorization,
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"alertd/{__version__}",
        "client-request-id": str(uuid.uuid4()),
        **_PRIORITY,
    }
    return headers if content is None else headers | {"Content-Type": "application/json"}
