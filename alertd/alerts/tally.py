"""How a round went, counted, and what that makes of its tenant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import attrs

from alertd.model.requests import Requests
from alertd.store.values import RoundEntry, TenantRecord


@attrs.frozen(kw_only=True)
class Tally:
    """How a round, or a part of one, went. kinds: how often each failure was met. jobs: those read; known: those, and those not read.

    rested, unanswered, waiting: principals whose turn it was not, by their latest answer: a good one, a failure, or never asked yet.
    requests: what it came to at Graph.
    """

    asked: int = 0
    ok: int = 0
    jobs: int = 0
    known: int = 0
    kinds: Mapping[str, int] = attrs.field(factory=dict)
    rested: int = 0
    unanswered: int = 0
    waiting: int = 0
    requests: Requests = attrs.field(factory=Requests)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            asked=self.asked + other.asked,
            ok=self.ok + other.ok,
            jobs=self.jobs + other.jobs,
            known=self.known + other.known,
            kinds=Counter(self.kinds) + Counter(other.kinds),
            rested=self.rested + other.rested,
            unanswered=self.unanswered + other.unanswered,
            waiting=self.waiting + other.waiting,
            requests=self.requests + other.requests,
        )

    @property
    def failed(self) -> int:
        """Principals that were asked and did not answer `ok`."""
        return self.asked - self.ok

    @property
    def not_asked(self) -> int:
        """Principals whose turn it was not."""
        return self.rested + self.unanswered + self.waiting

    @property
    def coverage(self) -> float:
        """Of the principals that were ever asked, how many answered, each at its latest turn; 1 where there are none."""
        about = self.asked + self.rested + self.unanswered
        return (self.ok + self.rested) / about if about else 1.0

    @property
    def worst(self) -> str | None:
        """The failure met most often, None where there was none."""
        return max(self.kinds, key=lambda kind: (self.kinds[kind], kind)) if self.kinds else None


def closed_round(record: TenantRecord, tally: Tally, now: datetime, *, began: datetime | None = None) -> TenantRecord:
    """Give a tenant after a round: failed when it asked and nobody answered `ok`; any other round is good. began: when it began to ask.

    A round in which it was nobody's turn says nothing about whether the tenant can be reached: what stood stands. A principal whose turn it
    was not counts by its latest answer, or one that fails would look well whenever it is left out.
    """
    bad = tally.asked > 0 and tally.ok == 0
    silent = tally.asked == 0 and tally.not_asked > 0
    failures = record.consecutivePollFailures if silent else 0
    return attrs.evolve(
        record,
        rounds=record.rounds + 1,
        consecutivePollFailures=record.consecutivePollFailures + 1 if bad else failures,
        lastPollAt=now,
        asked_from=began or now,
        lastPollError=tally.worst if bad else record.lastPollError if silent else None,
        pollCoverage=tally.coverage,
        failedServicePrincipals=tally.failed + tally.unanswered,
        not_asked=tally.not_asked,
        jobs=tally.known,
    )


def not_asked(outcome: str) -> Tally:
    """Count a principal whose turn it was not, by the outcome of its latest."""
    if not outcome:
        return Tally(waiting=1)
    return Tally(rested=1) if outcome == "ok" else Tally(unanswered=1)


def tally_of(entry: RoundEntry) -> Tally:
    """Give a closed round's tally, as far as it is kept: of the failures the one met most often."""
    return Tally(
        asked=entry.asked,
        ok=entry.ok,
        jobs=entry.jobs,
        kinds={entry.error: entry.failed} if entry.error else {},
        rested=entry.rested,
        unanswered=entry.unanswered,
        waiting=entry.waiting,
    )
