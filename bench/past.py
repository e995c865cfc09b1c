"""A made-up past of one tenant, the same at every run: what a store holds after a month of five-minute rounds.

Every job runs each 40 minutes, and each run changes its status: identifiers, dates and counts, as Microsoft Graph shows them. Most runs succeed;
some leave objects with errors, some fail, and after five failures in a row the job is in quarantine, with attempts that lie ever further apart.
Now and then a service principal does not answer, and twice nobody does.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import attrs

from alertd.alerts.observation import FULL_EVERY
from alertd.diff import diff
from alertd.model.facts import Facts, step
from alertd.model.resources import (
    EntryCounts,
    ServicePrincipal,
    SynchronizationError,
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.store.port import Store
from alertd.store.values import HistoryEntry, JobRecord, PrincipalRecord, ReadingChange, RoundEntry, TenantRecord

START = datetime(2026, 1, 1, tzinfo=UTC)
ROUND = timedelta(minutes=5)
TENANT = TenantRecord(key="global/11111111-1111-1111-1111-111111111111", name="contoso", discovered_at=START)

_RUN = timedelta(minutes=40)
_JOBS_EACH = 2  # of a service principal
_FAILURES_TO_QUARANTINE = 5
_LONGEST_WAIT = 16 * _RUN
_ROUNDS_AT_ONCE = 50  # in one transaction

Progress = Callable[[int, int], None]  # rounds done, rounds in all


@attrs.define
class _Life:
    """One job on its way. next_run: when its next run ends. wait: between two attempts in quarantine."""

    principal: str
    job: SynchronizationJob
    facts: Facts | None
    next_run: datetime
    chance: random.Random
    sequence: int = 0
    failures: int = 0
    wait: timedelta = _RUN
    changed_at: datetime = START

    @property
    def record(self) -> JobRecord:
        """The job as a store keeps it."""
        assert self.facts is not None  # noqa: S101 - it has been looked at
        return JobRecord(
            tenant_key=TENANT.key,
            service_principal_id=self.principal,
            job=self.job,
            facts=self.facts,
            sequence=self.sequence,
            first_seen_at=START,
            changed_at=self.changed_at,
        )


async def write_past(store: Store, *, jobs: int, days: int, progress: Progress = lambda _done, _all: None) -> int:
    """Fill an empty store; give how many changed snapshots it holds then."""
    lives = [_born(number) for number in range(jobs)]
    outages = _Outages(sorted({life.principal for life in lives}))
    await _introduce(store, outages.principals)
    rounds = days * int(timedelta(days=1) / ROUND)
    written = 0
    for first in range(0, rounds, _ROUNDS_AT_ONCE):
        async with store.transaction() as transaction:
            for number in range(first, min(first + _ROUNDS_AT_ONCE, rounds)):
                at = START + number * ROUND
                await transaction.append_reading_changes(outages.advance(at))
                seen = [
                    entry for life in lives if life.principal not in outages.silent for entry in _looked_at(life, at)
                ]
                await transaction.append_history(seen)
                await transaction.append_round(_closed(at, jobs, outages))
                written += len(seen)
        progress(min(first + _ROUNDS_AT_ONCE, rounds), rounds)
    await _keep(store, lives)
    return written


async def _introduce(store: Store, principals: list[str]) -> None:
    async with store.transaction() as transaction:
        await transaction.save_tenant(TENANT, expected_epoch=0)
        await transaction.save_principals(
            PrincipalRecord(
                tenant_key=TENANT.key,
                principal=ServicePrincipal(id=key, displayName=f"Application {number}"),
                has_jobs=True,
                first_discovery=True,
            )
            for number, key in enumerate(principals)
        )


async def _keep(store: Store, lives: list[_Life]) -> None:
    """Leave the jobs as they stand in the end, as a daemon does."""
    async with store.transaction() as transaction:
        await transaction.save_jobs(life.record for life in lives if life.sequence)


def _born(number: int) -> _Life:
    chance = random.Random(number)
    principal = str(uuid.UUID(int=number // _JOBS_EACH + 1))
    job = SynchronizationJob(
        id=f"Saas.{number:032x}.{uuid.UUID(int=chance.getrandbits(128))}",
        templateId="salesforce",
        schedule=SynchronizationSchedule(interval=_RUN, state="Active"),
        status=SynchronizationStatus(
            code="Active",
            countSuccessiveCompleteFailures=0,
            escrowsPruned=False,
            steadyStateFirstAchievedTime=START - timedelta(days=100),
            synchronizedEntryCountByType=EntryCounts({"user to User": 1000 + number, "group to Group": 12}),
            troubleshootingUrl="https://portal.azure.com/#provisioning",
        ),
    )
    next_run = START - _RUN + chance.random() * _RUN
    return _Life(principal=principal, job=job, facts=None, next_run=next_run, chance=chance)


def _looked_at(life: _Life, at: datetime) -> Iterator[HistoryEntry]:
    """Read a job at a round; give an entry where something has changed."""
    before = life.job
    while life.next_run <= at:
        _run(life, life.next_run)
    if life.job is before and life.sequence:
        return
    known = before if life.sequence else None
    changes = diff(before, life.job) if known else ()
    life.facts = step(life.facts, known, life.job, at)
    life.sequence, life.changed_at = life.sequence + 1, at
    full = life.sequence == 1 or life.sequence % FULL_EVERY == 0
    yield HistoryEntry(
        tenant_key=TENANT.key,
        service_principal_id=life.principal,
        job_id=life.job.id,
        sequence=life.sequence,
        at=at,
        full=life.job if full else None,
        changes=() if full else changes,
        facts=life.facts if full else None,
    )


def _run(life: _Life, ended: datetime) -> None:
    """End a run: what comes of it, and when the next one ends."""
    failed = life.chance.random() < (0.6 if life.failures else 0.01)
    life.failures = life.failures + 1 if failed else 0
    quarantined = life.failures >= _FAILURES_TO_QUARANTINE
    life.wait = min(life.wait * 2, _LONGEST_WAIT) if quarantined else _RUN
    life.next_run = ended + life.wait + timedelta(seconds=life.chance.randint(-60, 60))
    life.job = attrs.evolve(life.job, status=_status(life, ended, quarantined=quarantined))


def _status(life: _Life, ended: datetime, *, quarantined: bool) -> SynchronizationStatus:
    known = life.job.status
    assert known is not None  # noqa: S101 - every job is born with one
    run = _execution(life, ended)
    status = attrs.evolve(
        known,
        code="Quarantine" if quarantined else "Active",
        quarantine=_quarantine(known, life, ended) if quarantined else None,
        countSuccessiveCompleteFailures=life.failures,
        lastExecution=run,
    )
    if life.failures:
        return status
    return attrs.evolve(
        status,
        lastSuccessfulExecution=run,
        lastSuccessfulExecutionWithExports=run if run.countExported else known.lastSuccessfulExecutionWithExports,
        steadyStateLastAchievedTime=ended,
        synchronizedEntryCountByType=_grown(known.synchronizedEntryCountByType, run.countExported or 0),
    )


def _execution(life: _Life, ended: datetime) -> SynchronizationTaskExecution:
    chance = life.chance
    escrowed = chance.randint(1, 60) if not life.failures and chance.random() < 0.03 else 0  # noqa: PLR2004 - one run in thirty
    exported = chance.randint(1, 9) if not life.failures and chance.random() < 0.1 else 0  # noqa: PLR2004 - one run in ten
    return SynchronizationTaskExecution(
        activityIdentifier=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        state="Failed" if life.failures else "EntryLevelErrors" if escrowed else "Succeeded",
        error=SynchronizationError(
            code="SystemForCrossDomainIdentityManagementServiceIncompatible", message="no answer"
        )
        if life.failures
        else None,
        countEntitled=1000,
        countEntitledForProvisioning=1000,
        countEscrowed=escrowed,
        countExported=exported,
        timeBegan=ended - timedelta(seconds=chance.randint(20, 300)),
        timeEnded=ended,
    )


def _quarantine(known: SynchronizationStatus, life: _Life, ended: datetime) -> SynchronizationQuarantine:
    began = known.quarantine.seriesBegan if known.quarantine else ended
    return SynchronizationQuarantine(
        reason="EncounteredQuarantineException",
        currentBegan=began,
        seriesBegan=began,
        seriesCount=life.failures - _FAILURES_TO_QUARANTINE + 1,
        nextAttempt=life.next_run,
    )


def _grown(counts: EntryCounts | None, exported: int) -> EntryCounts | None:
    if counts is None or not exported:
        return counts
    return EntryCounts({**counts, "user to User": counts["user to User"] + exported})


class _Outages:
    """Who does not answer: single principals for some rounds, and twice everybody. silent: principals, until when."""

    def __init__(self, principals: list[str]) -> None:
        self.principals = principals
        self.silent: dict[str, datetime] = {}
        self._chance = random.Random(0)
        self._known = dict.fromkeys(principals, "")

    def advance(self, at: datetime) -> list[ReadingChange]:
        """Begin and end outages at a round; give whose readings went otherwise than before."""
        self.silent = {key: until for key, until in self.silent.items() if until > at}
        if at in {START + timedelta(days=1), START + timedelta(days=2)}:
            self.silent = dict.fromkeys(self.principals, at + 3 * ROUND)
        elif at > START and self._chance.random() < 0.05:  # noqa: PLR2004 - one round in twenty
            self.silent[self._chance.choice(self.principals)] = at + self._chance.randint(1, 4) * ROUND
        return list(self._changed(at))

    def _changed(self, at: datetime) -> Iterator[ReadingChange]:
        for key, known in self._known.items():
            outcome = "server" if key in self.silent else "ok"
            if outcome != known:
                self._known[key] = outcome
                yield ReadingChange(tenant_key=TENANT.key, service_principal_id=key, at=at, outcome=outcome)


def _closed(at: datetime, jobs: int, outages: _Outages) -> RoundEntry:
    asked, failed = len(outages.principals), len(outages.silent)
    return RoundEntry(
        tenant_key=TENANT.key,
        at=at,
        asked=asked,
        ok=asked - failed,
        failed=failed,
        jobs=jobs - failed * _JOBS_EACH,
        error="server" if failed == asked else None,
    )
