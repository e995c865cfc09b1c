"""When a job is worth the next look: pure, and derived from what is stored, so that a restart forgets nothing.

A look costs a request. Most of them show what the one before has shown: a job that runs every forty minutes has no news thirty seconds after a
run, one in quarantine has none before its next attempt. What a schedule does not foretell is people: they restart, pause and renew at any
moment. So no look is put off by more than `max_added_delay`, whatever is foretold; that bound, not the forecast, is what makes this sound.

Some things are looked at in every round all the same:

- an alert whose `for` or `keep_firing_for` is running out: its condition must hold at every round in between, and an unseen break would let it
  fire, or resolve, where it should not;
- a service principal that did not answer, or answered without a job: both end, or are confirmed, by the next answer;
- a job whose expected run is overdue, and one of which nobody knows when it runs.

An alert that fires is no reason: it ends when its job does something, which is what the forecast is about, and an all-clear that is late by no
more than the bound harms nobody. A quarantine of four weeks would else cost eight thousand looks.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from alertd.model.alert import Alert, State
from alertd.store.values import JobRecord, PrincipalRecord, TenantRecord

ANSWERED = "ok"


class LookReason(enum.StrEnum):
    """Why a job is looked at then."""

    UNKNOWN = "unknown"  # nobody knows when it runs
    RUN_EXPECTED = "run_expected"
    RETRY_EXPECTED = "retry_expected"  # in quarantine, until its next attempt
    STANDING_STILL = "standing_still"  # paused, disabled or not configured: only a person changes that
    ALERT_RUNNING = "alert_running"  # a `for` or a `keep_firing_for` runs out
    UNANSWERED = "unanswered"  # the latest answer was none
    ABSENT = "absent"  # the latest answer did not list it
    MOST = "max_added_delay"  # as late as can be
    NOBODY = "no_jobs"  # the service principal has no job any more


@attrs.frozen(kw_only=True)
class NextLook:
    """The next look. at: worth it from then on; a past instant means in every round."""

    at: datetime
    reason: LookReason


@attrs.frozen(kw_only=True)
class Pace:
    """How looks may be put off.

    interval: from one round to the next. max_added_delay: how much later than in every round a look may come; zero puts none off.
    """

    interval: timedelta
    max_added_delay: timedelta = timedelta(0)

    def latest(self, asked_at: datetime) -> datetime:
        """Give the latest instant of the look after one at `asked_at`."""
        return asked_at + self.interval + self.max_added_delay

    def due(self, look: NextLook, asked_at: datetime, now: datetime) -> bool:
        """Whether a round at `now` has to look: news may be there, or the round after it would be too late."""
        return look.at <= now or now + self.interval > self.latest(asked_at)


def asked_at(principal: PrincipalRecord, tenant: TenantRecord) -> datetime | None:
    """Give when a service principal had its latest turn, null where it never had one; only turns left out are written down."""
    return (principal.asked_at or tenant.lastPollAt) if principal.outcome else None


def next_look(record: JobRecord, alerts: Iterable[Alert], *, asked: datetime, pace: Pace) -> NextLook:
    """Give the next look at a job whose service principal answered at `asked`, and why then. alerts: the job's own."""
    latest = pace.latest(asked)
    at, reason = _news(record, alerts, asked)
    if at is None:
        return NextLook(at=latest, reason=reason)
    return NextLook(at=at, reason=reason) if at <= latest else NextLook(at=latest, reason=LookReason.MOST)


def look_at_principal(
    records: Iterable[JobRecord], alerts: Iterable[Alert], *, asked: datetime, answered: bool, pace: Pace
) -> NextLook:
    """Give the earliest look that any job of a service principal is worth: they are asked for together.

    answered: its answer at `asked` was a good one.
    """
    if not answered:
        return NextLook(at=asked, reason=LookReason.UNANSWERED)
    by_job: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_job.setdefault(alert.identity.job_id, []).append(alert)
    looks = [next_look(record, by_job.get(record.job.id, ()), asked=asked, pace=pace) for record in records]
    nobody = NextLook(at=pace.latest(asked), reason=LookReason.NOBODY)
    return min(looks, key=lambda look: look.at, default=nobody)


def _news(record: JobRecord, alerts: Iterable[Alert], asked: datetime) -> tuple[datetime | None, LookReason]:
    """Give the earliest instant at which there can be news, null where only a person can make some."""
    if record.absent:
        return asked, LookReason.ABSENT
    if any(map(_runs_out, alerts)):
        return asked, LookReason.ALERT_RUNNING
    status, schedule = record.job.status, record.job.schedule
    code = status.code if status is not None else None
    if code in {"Paused", "NotConfigured"} or (schedule is not None and schedule.state in {"Disabled", "Paused"}):
        return None, LookReason.STANDING_STILL
    reason = LookReason.RETRY_EXPECTED if code == "Quarantine" else LookReason.RUN_EXPECTED
    expected = record.facts.expectedRunAt
    return (expected, reason) if expected is not None else (asked, LookReason.UNKNOWN)


def _runs_out(alert: Alert) -> bool:
    """Whether a clock runs that only an unbroken condition may let run out."""
    return alert.state is State.PENDING or (alert.state is State.FIRING and alert.clearSince is not None)
