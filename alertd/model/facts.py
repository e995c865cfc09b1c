"""What is remembered of a job beyond its last snapshot, and derived from it: `facts' = step(facts, snapshot)`.

A step over an unchanged snapshot changes nothing, so an unchanged job costs no write.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from alertd.model.resources import (
    SynchronizationJob,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.value import value

# Microsoft disables a job after four weeks in quarantine.
# https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status
DISABLED_AFTER = timedelta(days=28)

# `transitions()` looks back over these: enums and flags, whose values recur. 100 instants of ~60 bytes a path bound
# a row to some kilobytes.
TRACKED_PATHS = (
    "status.code",
    "status.quarantine.reason",
    "status.lastExecution.state",
    "status.escrowsPruned",
    "job.schedule.state",
)
INSTANTS_MAX = 100

Instants = tuple[tuple[object, datetime], ...]


@value(kw_only=True)
class Facts:
    """What is known of one job after one snapshot.

    failureStreak: failed runs in a row, the greater of our own count over distinct runs and Graph's.
    ownFailures, lastRun: our count, and the run it was last moved by.
    escrowRatio, progressRatio: 0 to 1, null where there is nothing to divide by.
    expectedRunAt: when the job should run next; null when paused, never run, or nobody knows.
    quarantinedSince, disableAt: null outside quarantine. firstSeenQuarantined: our own sighting, for answers without
        dates.
    instants: path -> ((value it became, when we saw it), ...), oldest first.
    """

    failureStreak: int = 0
    ownFailures: int = 0
    lastRun: str | None = None
    escrowRatio: float | None = None
    progressRatio: float | None = None
    expectedRunAt: datetime | None = None
    quarantinedSince: datetime | None = None
    firstSeenQuarantined: datetime | None = None
    disableAt: datetime | None = None
    instants: Mapping[str, Instants] = attrs.field(factory=dict)


_NOTHING = SynchronizationStatus()


def step(facts: Facts | None, previous: SynchronizationJob | None, current: SynchronizationJob, now: datetime) -> Facts:
    """Give the facts after `current` was read at `now`; `facts` and `previous` are None at first sight."""
    before = facts or Facts()
    status = current.status or _NOTHING
    failures, run = _count_failures(before, status.lastExecution)
    seen = (before.firstSeenQuarantined or now) if status.code == "Quarantine" else None
    since = _quarantined_since(status, seen)
    return Facts(
        failureStreak=max(failures, status.countSuccessiveCompleteFailures or 0),
        ownFailures=failures,
        lastRun=run,
        escrowRatio=_escrow_ratio(status.lastExecution),
        progressRatio=_progress_ratio(status),
        expectedRunAt=_expected_run(status, current.schedule),
        quarantinedSince=since,
        firstSeenQuarantined=seen,
        disableAt=_later(since, DISABLED_AFTER),
        instants=before.instants if previous is None else _instants(before.instants, previous, current, now),
    )


def new_series(previous: SynchronizationJob | None, current: SynchronizationJob) -> bool:
    """Whether the job left quarantine and re-entered it between two readings that both say Quarantine."""
    before, after = _series_began(previous), _series_began(current)
    return before is not None and after is not None and before != after


def _series_began(job: SynchronizationJob | None) -> datetime | None:
    if job is None or job.status is None or job.status.code != "Quarantine" or job.status.quarantine is None:
        return None
    return job.status.quarantine.seriesBegan


def _run_key(run: SynchronizationTaskExecution | None) -> str | None:
    """Tell one run from another.

    A placeholder (error code `None`, no dates) is no run at all; one without a state is not known to have ended, and counts once it has one.
    """
    if run is None or run.state is None or (run.timeBegan is None and run.timeEnded is None and _no_error(run)):
        return None
    return run.activityIdentifier or (run.timeEnded.isoformat() if run.timeEnded else None)


def _no_error(run: SynchronizationTaskExecution) -> bool:
    return run.error is None or run.error.code in {None, "", "None"}


def _count_failures(facts: Facts, run: SynchronizationTaskExecution | None) -> tuple[int, str | None]:
    key = _run_key(run)
    if run is None or key is None or key == facts.lastRun:
        return facts.ownFailures, facts.lastRun
    failures = {"Failed": facts.ownFailures + 1, "Succeeded": 0}.get(run.state or "", facts.ownFailures)
    return failures, key


def _escrow_ratio(run: SynchronizationTaskExecution | None) -> float | None:
    if run is None or run.countEscrowed is None or not run.countEntitledForProvisioning:
        return None
    return run.countEscrowed / run.countEntitledForProvisioning


def _progress_ratio(status: SynchronizationStatus) -> float | None:
    completed = total = 0
    for part in status.progress or ():
        completed += part.completedUnits or 0
        total += part.totalUnits or 0
    return completed / total if total else None


def _expected_run(status: SynchronizationStatus, schedule: SynchronizationSchedule | None) -> datetime | None:
    if status.code == "Quarantine":
        return status.quarantine.nextAttempt if status.quarantine else None
    if status.code in {"Paused", "NotConfigured"} or schedule is None or schedule.state in {"Disabled", "Paused"}:
        return None
    ended = status.lastExecution.timeEnded if status.lastExecution else None
    return _later(ended, schedule.interval)


def _quarantined_since(status: SynchronizationStatus, seen: datetime | None) -> datetime | None:
    if status.code != "Quarantine":
        return None
    quarantine = status.quarantine
    return (quarantine and (quarantine.seriesBegan or quarantine.currentBegan)) or seen


def _later(instant: datetime | None, duration: timedelta | None) -> datetime | None:
    if instant is None or duration is None:
        return None
    try:
        return instant + duration
    except OverflowError:
        return None


def _instants(
    known: Mapping[str, Instants], previous: SynchronizationJob, current: SynchronizationJob, now: datetime
) -> Mapping[str, Instants]:
    before, after = _tracked(previous), _tracked(current)
    if before == after:
        return known
    became = {path: value for path, old, value in zip(TRACKED_PATHS, before, after, strict=True) if old != value}
    return {**known, **{path: (*known.get(path, ()), (value, now))[-INSTANTS_MAX:] for path, value in became.items()}}


def _tracked(job: SynchronizationJob) -> tuple[object, ...]:
    """Give the values at TRACKED_PATHS, each spelled out: a look-up by its path would take half the time of a step."""
    status, schedule = job.status or _NOTHING, job.schedule
    quarantine, run = status.quarantine, status.lastExecution
    return (
        status.code,
        quarantine.reason if quarantine else None,
        run.state if run else None,
        status.escrowsPruned,
        schedule.state if schedule else None,
    )
