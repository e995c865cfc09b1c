"""Subjects for rules: a healthy job of an ordinary tenant, and whatever differs from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.views import Alertd, Job, Subject, Tenant

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

HEALTHY = SynchronizationStatus(
    code="Active",
    countSuccessiveCompleteFailures=0,
    escrowsPruned=False,
    lastExecution=SynchronizationTaskExecution(
        activityIdentifier="run-1",
        countEscrowed=0,
        countEntitledForProvisioning=400,
        state="Succeeded",
        timeBegan=NOW - timedelta(minutes=35),
        timeEnded=NOW - timedelta(minutes=30),
    ),
    progress=(),
    steadyStateFirstAchievedTime=NOW - timedelta(days=90),
    steadyStateLastAchievedTime=NOW - timedelta(minutes=30),
    synchronizedEntryCountByType=EntryCounts({"user to User": 300, "group to Group": 20}),
)
JOB = Job(
    id="Salesforce.1",
    displayName="Salesforce",
    servicePrincipalId="sp-1",
    firstSeenAt=NOW - timedelta(days=30),
    lastSeenAt=NOW,
    schedule=SynchronizationSchedule(interval=timedelta(minutes=40), state="Active"),
    settings=JobSettings({"QuarantineTooManyDeletesThreshold": "500"}),
    expectedRunAt=NOW + timedelta(minutes=10),
)
TENANT = Tenant(name="contoso", id="11111111-1111-1111-1111-111111111111", labels={"region": "emea"})

MakeSubject = Callable[..., Subject]


@pytest.fixture
def subject() -> MakeSubject:
    """Make a subject in scope job: `status` and `previous` are given as properties that differ from a healthy job's."""

    def make(
        status: dict[str, Any] | None = None,
        previous: dict[str, Any] | SynchronizationStatus | None = HEALTHY,
        *,
        job: dict[str, Any] | None = None,
        previous_job: dict[str, Any] | None = None,
        **others: Any,
    ) -> Subject:
        before = attrs.evolve(HEALTHY, **previous) if isinstance(previous, dict) else previous
        return Subject(
            now=others.pop("now", NOW),
            status=attrs.evolve(HEALTHY, **status or {}),
            previous=before,
            job=attrs.evolve(JOB, **job or {}),
            previous_job=None if before is None else attrs.evolve(JOB, **previous_job or {}),
            tenant=TENANT,
            **others,
        )

    return make


@pytest.fixture
def tenant_subject() -> MakeSubject:
    """Make a subject in scope tenant from what differs from a good tenant."""
    return lambda **differs: Subject(now=NOW, tenant=attrs.evolve(TENANT, **differs))


@pytest.fixture
def alertd_subject() -> MakeSubject:
    """Make a subject in scope alertd from what differs from good health."""
    return lambda **differs: Subject(now=NOW, alertd=Alertd(**differs))
