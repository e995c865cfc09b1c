"""What a process remembers of a tenant between rounds: what answers as before then costs neither a look into the store nor a question to the rules.

It is worth something only as long as nobody else has written: a tenant's epoch says so. It is dropped whole when the epoch is not the one this
process left, when the rules or the tenant's configuration are others, when a commit failed, and it begins empty after a start; a service
principal that did not answer, or not in full, is forgotten alone. Losing it costs one round of work, never a decision.

A principal takes some 300 bytes: its id, the digest of its answer, the number of its jobs and an instant, and its place in the line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from alertd.alerts.book import RuleBook
from alertd.alerts.sighting import Watched
from alertd.alerts.tally import Tally
from alertd.engine.line import is_in_line
from alertd.model.reading import NotAsked, Ok, Reading, Unchanged
from alertd.store.values import PrincipalRecord, TenantRecord


class Standing(NamedTuple):
    """A service principal after its latest full answer.

    digest: of the answer; None where nothing stands for it. jobs: how many it has. wake_at: when the rules have to be asked again although
    nothing changes; None: never. left_out: it was not asked in the latest round.
    """

    digest: int | None
    jobs: int
    wake_at: datetime | None
    left_out: bool = False


class Recollection:
    """What is remembered of one tenant. made_under: all that it depends on beside the answers.

    line: the ids of the service principals that every round has to do with, in order; null where only the store knows them.
    """

    def __init__(self) -> None:
        self.line: Sequence[str] | None = None
        self._standing: dict[str, Standing] = {}
        self._epoch = -1
        self._made_under: tuple[object, ...] = ()

    def check(self, watched: Watched, tenant: TenantRecord, book: RuleBook, *, tells_first_sight: bool) -> None:
        """Drop everything unless it was made under these very circumstances and nobody has written since."""
        under = (watched, book, tells_first_sight, *(_figures(tenant) if book.waking.figures else ()))
        if tenant.epoch != self._epoch or not _same(under, self._made_under):
            self.drop()
        self._epoch, self._made_under = tenant.epoch, under

    def wrote(self, tenant: TenantRecord, principals: Iterable[PrincipalRecord] = ()) -> None:
        """Take note of what this process has just committed: an epoch, and service principals, of which few change their place in the line."""
        self._epoch = tenant.epoch
        if self.line is not None and any(is_in_line(one) != _holds(self.line, one.principal.id) for one in principals):
            self.line = None

    def drop(self) -> None:
        """Forget everything: nobody knows what stands in the store."""
        self._standing.clear()
        self.line, self._epoch = None, -1

    def forget(self, principal_ids: Iterable[str]) -> None:
        """Forget some service principals."""
        for key in principal_ids:
            self._standing.pop(key, None)

    def digest(self, principal_id: str) -> int | None:
        """Give the digest of an answer that needs no reading when it comes again."""
        standing = self._standing.get(principal_id)
        return None if standing is None else standing.digest

    def pass_over(
        self, readings: Mapping[str, Reading], now: datetime, *, sight: bool
    ) -> tuple[Tally, list[str], dict[str, datetime | None]]:
        """Count what says and means nothing new; give it with the service principals that remain to be looked at.

        The third are those among them about which no rule has to be asked yet, each with the instant at which one has to. sight: a rule
        looks at when a job was last seen, so one that was not asked is another case than one that answered as before. That it is a
        principal's turn again, or not any more, is news: it is written down.
        """
        rest: list[str] = []
        asleep: dict[str, datetime | None] = {}
        answered = rested = jobs = known = 0
        for key, reading in readings.items():
            standing = self._standing.get(key)
            if standing is None or (standing.wake_at is not None and standing.wake_at <= now):
                rest.append(key)
                continue
            kind = type(reading)
            sleeps = kind is not NotAsked or not sight
            if sleeps and kind is (NotAsked if standing.left_out else Unchanged):
                known += standing.jobs
                if standing.left_out:
                    rested += 1
                else:
                    answered += 1
                    jobs += standing.jobs
                continue
            rest.append(key)
            if sleeps:
                asleep[key] = standing.wake_at
        return Tally(asked=answered, ok=answered, jobs=jobs, known=known, rested=rested), rest, asleep

    def learn(self, key: str, reading: Reading, wakes: Mapping[str, datetime | None]) -> None:
        """Remember what a reading came to, or forget the service principal where it did not say everything."""
        if key not in wakes:
            self._standing.pop(key, None)
        elif isinstance(reading, Ok):
            self._standing[key] = Standing(reading.digest, len(reading.jobs), wakes[key])
        elif (standing := self._standing.get(key)) is not None:
            left_out = isinstance(reading, NotAsked)
            self._standing[key] = standing._replace(wake_at=wakes[key], left_out=left_out)


def _holds(line: Sequence[str], principal_id: str) -> bool:
    place = bisect_left(line, principal_id)
    return place < len(line) and line[place] == principal_id


def _figures(tenant: TenantRecord) -> tuple[object, ...]:
    """Give the figures of a tenant's latest round that rules can look at, but for its instant."""
    return (
        tenant.consecutivePollFailures,
        tenant.lastPollError,
        tenant.pollCoverage,
        tenant.failedServicePrincipals,
        tenant.credentialExpiresAt,
    )


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return len(one) == len(other) and all(
        mine is theirs or mine == theirs for mine, theirs in zip(one, other, strict=True)
    )
