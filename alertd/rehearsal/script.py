"""What one test says: who answers what and when, and what people should have heard in the end. Plain values.

Instants are distances from the test's start.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import attrs

from alertd.notify.matchers import Matcher
from alertd.rehearsal.expectation import ExpectedAlerts, ExpectedNotification
from alertd.rehearsal.job_name import JobName
from alertd.simulator.timeline import TenantTimeline, Timeline

DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_INTERVAL = timedelta(minutes=5)


@attrs.frozen(kw_only=True)
class JobScript:
    """A job and what it answers, step by step."""

    name: JobName
    timeline: Timeline


@attrs.frozen(kw_only=True)
class TenantScript:
    """A tenant's rounds; one that fails stands in the place of its jobs' steps."""

    tenant: str
    timeline: TenantTimeline


@attrs.frozen(kw_only=True)
class Span:
    """A stretch of time: `starts` belongs to it, `ends` does not."""

    starts: timedelta
    ends: timedelta

    def __contains__(self, moment: timedelta) -> bool:
        return self.starts <= moment < self.ends


@attrs.frozen(kw_only=True)
class SilenceScript:
    """A silence that somebody has made."""

    matchers: tuple[Matcher, ...]
    span: Span


@attrs.frozen(kw_only=True)
class Behaviour:
    """What a receiver answers to every attempt within a span: a status, or nothing at all until the attempt is given up."""

    receiver: str
    span: Span
    answer: int | Literal["hang"]
    retry_after: timedelta | None = None


@attrs.frozen(kw_only=True)
class Script:
    """One test.

    only: names of rules; none means all. until: how long it runs, the last step's instant or later.
    expected_notifications: null where nothing is compared.
    """

    name: str
    line: int = 0
    interval: timedelta = DEFAULT_INTERVAL
    start: datetime = DEFAULT_START
    only: tuple[str, ...] = ()
    jobs: tuple[JobScript, ...] = ()
    tenants: tuple[TenantScript, ...] = ()
    silences: tuple[SilenceScript, ...] = ()
    behaviours: tuple[Behaviour, ...] = ()
    restarts: tuple[timedelta, ...] = ()
    until: timedelta | None = None
    expected_alerts: tuple[ExpectedAlerts, ...] = ()
    expected_notifications: tuple[ExpectedNotification, ...] | None = None

    @property
    def last_step(self) -> timedelta:
        """When the longest timeline is at its last step."""
        steps = [len(job.timeline.steps) for job in self.jobs] + [len(one.timeline.steps) for one in self.tenants]
        return self.interval * (max(steps, default=1) - 1)

    @property
    def end(self) -> timedelta:
        """When it ends: what happens at this instant still belongs to it."""
        return self.last_step if self.until is None else self.until

    @property
    def tenant_names(self) -> tuple[str, ...]:
        """All tenants it speaks of, in order."""
        return tuple(sorted({job.name.tenant for job in self.jobs} | {one.tenant for one in self.tenants}))

    @property
    def principals(self) -> Mapping[tuple[str, str], tuple[JobScript, ...]]:
        """The jobs by tenant and service principal id, in the order of the file."""
        found: dict[tuple[str, str], tuple[JobScript, ...]] = {}
        for job in self.jobs:
            key = (job.name.tenant, job.name.principal_id)
            found[key] = (*found.get(key, ()), job)
        return found
