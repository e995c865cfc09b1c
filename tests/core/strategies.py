"""Random snapshots, alerts and ledgers: small domains, so that two draws often share values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from hypothesis import strategies as st

from alertd.model.resources import (
    EXECUTION_STATES,
    QUARANTINE_REASONS,
    SCHEDULE_STATES,
    STATUS_CODES,
    EntryCounts,
    JobSettings,
    NamedValues,
    SynchronizationError,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

# Everything that would end a map key early if it were not escaped, and the empty one.
ODD_KEYS = ("", '"', "\\", '\\"', "]", "[", '"]', '["a"]', "a.b", "user to User", "\n", "\\n", "é", "a", "b")


def instants() -> st.SearchStrategy[datetime]:
    """Give one of a few instants around START, to the second."""
    return st.integers(-3, 3).map(lambda hours: START + timedelta(hours=hours))


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def _some(kind: type[Any], **properties: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: _maybe(values) for name, values in properties.items()})


_counts = st.integers(0, 3)
_keys = st.sampled_from(ODD_KEYS) | st.text(max_size=4)

errors = _some(
    SynchronizationError,
    code=st.sampled_from(["None", "InvalidCredentials", "SystemUnavailable"]),
    message=st.sampled_from(["", "Refused"]),
    tenantActionable=st.booleans(),
)

runs = _some(
    SynchronizationTaskExecution,
    activityIdentifier=st.sampled_from(["run-1", "run-2", "run-3"]),
    countEntitledForProvisioning=_counts,
    countEscrowed=_counts,
    countExported=_counts,
    error=errors,
    state=st.sampled_from([*EXECUTION_STATES, "Interrupted"]),
    timeBegan=instants(),
    timeEnded=instants(),
)

quarantines = _some(
    SynchronizationQuarantine,
    currentBegan=instants(),
    nextAttempt=instants(),
    reason=st.sampled_from(QUARANTINE_REASONS),
    seriesBegan=instants(),
    seriesCount=_counts,
    error=errors,
)

progress = st.lists(
    _some(SynchronizationProgress, completedUnits=_counts, totalUnits=_counts, units=st.just("objects")), max_size=2
).map(tuple)

statuses = _some(
    SynchronizationStatus,
    code=st.sampled_from([*STATUS_CODES, "Renovating"]),
    countSuccessiveCompleteFailures=_counts,
    escrowsPruned=st.booleans(),
    lastExecution=runs,
    lastSuccessfulExecution=runs,
    progress=progress,
    quarantine=quarantines,
    steadyStateLastAchievedTime=instants(),
    synchronizedEntryCountByType=st.dictionaries(_keys, _counts, max_size=3).map(EntryCounts),
    troubleshootingUrl=st.sampled_from(["", "https://portal.azure.com"]),
)

schedules = _some(
    SynchronizationSchedule,
    expiration=instants(),
    interval=st.sampled_from([timedelta(minutes=40), timedelta(hours=1)]),
    state=st.sampled_from(SCHEDULE_STATES),
)

jobs = st.builds(
    SynchronizationJob,
    id=st.just("SF.1"),
    templateId=_maybe(st.sampled_from(["salesforce", "scim"])),
    schedule=_maybe(schedules),
    status=_maybe(statuses),
    synchronizationJobSettings=_maybe(
        st.dictionaries(_keys, st.sampled_from(["", "on", "off"]), max_size=3).map(JobSettings)
    ),
)


def essence(value: Any) -> Any:
    """Reduce a snapshot to what it says: holders that hold nothing vanish. Written apart from `diff`, to judge it."""
    if isinstance(value, NamedValues):
        return dict(value) or None
    if attrs.has(type(value)):
        said: Mapping[str, Any] = {name: essence(getattr(value, name)) for name in attrs.fields_dict(type(value))}
        return {name: held for name, held in said.items() if held is not None} or None
    return value
