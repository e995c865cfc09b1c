"""Bodies as Graph writes them: complete, with "never" in the words of .NET where a property cannot be null.

Timelines give what matters; here the rest of a synchronizationJob is filled in, so that a client cannot tell it from a real one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from alertd.model.resources import (
    SynchronizationError,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)

NEVER = "0001-01-01T00:00:00Z"
NEVER_INTERVAL = "P10675199DT2H48M5.4775807S"  # .NET's TimeSpan.MaxValue
_COUNTS = (
    "countEntitled",
    "countEntitledForProvisioning",
    "countEscrowed",
    "countEscrowedRaw",
    "countExported",
    "countExports",
    "countImported",
    "countImportedDeltas",
    "countImportedReferenceDeltas",
)

Body = dict[str, Any]


def job_body(job: SynchronizationJob) -> Body:
    """Write a synchronizationJob; one without a status code has none on the wire either."""
    status = job.status or SynchronizationStatus()
    return {
        "id": job.id,
        "templateId": job.templateId or job.id.partition(".")[0],
        "schedule": _schedule(job.schedule or SynchronizationSchedule(interval=timedelta(minutes=40)), status.code),
        "status": _status(status),
        "synchronizationJobSettings": _pairs("name", job.synchronizationJobSettings or {}),
    }


def _schedule(schedule: SynchronizationSchedule, code: str | None) -> Body:
    runs = code not in {"Paused", "NotConfigured"}
    return {
        "expiration": _instant(schedule.expiration) if schedule.expiration else None,
        "interval": NEVER_INTERVAL if schedule.interval is None else format_interval(schedule.interval),
        "state": schedule.state or ("Active" if runs else "Disabled"),
    }


def _status(status: SynchronizationStatus) -> Body:
    body = {
        "countSuccessiveCompleteFailures": status.countSuccessiveCompleteFailures or 0,
        "escrowsPruned": bool(status.escrowsPruned),
        "code": status.code,
        "lastExecution": _execution(status.lastExecution),
        "lastSuccessfulExecution": _execution(status.lastSuccessfulExecution),
        "lastSuccessfulExecutionWithExports": _execution(status.lastSuccessfulExecutionWithExports),
        "progress": [_progress(progress) for progress in status.progress or ()],
        "quarantine": _quarantine(status.quarantine),
        "steadyStateFirstAchievedTime": _instant(status.steadyStateFirstAchievedTime),
        "steadyStateLastAchievedTime": _instant(status.steadyStateLastAchievedTime),
        "synchronizedEntryCountByType": _pairs("key", status.synchronizedEntryCountByType or {}),
        "troubleshootingUrl": status.troubleshootingUrl or "",
    }
    return body if status.code is not None else {name: value for name, value in body.items() if name != "code"}


def _execution(run: SynchronizationTaskExecution | None) -> Body | None:
    if run is None:
        return None
    return {
        "activityIdentifier": run.activityIdentifier,
        **{name: getattr(run, name) or 0 for name in _COUNTS},
        "error": _error(run.error),
        "state": run.state or "Succeeded",
        "timeBegan": _instant(run.timeBegan),
        "timeEnded": _instant(run.timeEnded),
    }


def _quarantine(quarantine: SynchronizationQuarantine | None) -> Body | None:
    if quarantine is None:
        return None
    return {
        "currentBegan": _instant(quarantine.currentBegan),
        "nextAttempt": _instant(quarantine.nextAttempt),
        "reason": quarantine.reason or "Unknown",
        "seriesBegan": _instant(quarantine.seriesBegan),
        "seriesCount": quarantine.seriesCount or 0,
        "error": _error(quarantine.error),
    }


def _progress(progress: SynchronizationProgress) -> Body:
    return {
        "completedUnits": progress.completedUnits or 0,
        "totalUnits": progress.totalUnits or 0,
        "progressObservationDateTime": _instant(progress.progressObservationDateTime),
        "units": progress.units,
    }


def _error(error: SynchronizationError | None) -> Body | None:
    if error is None:
        return None
    return {
        "code": error.code,
        "message": error.message or "",
        "tenantActionable": bool(error.tenantActionable),
    }


def _pairs(key: str, values: Mapping[str, Any]) -> list[Body]:
    return [{key: name, "value": value} for name, value in values.items()]


def _instant(instant: datetime | None) -> str:
    """Write an instant with up to seven digits of a second, as .NET does; a null one is year 1."""
    if instant is None:
        return NEVER
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0')}Z" if instant.microsecond else f"{text}Z"


def format_interval(interval: timedelta) -> str:
    """Write a duration as Edm.Duration: ``PT40M``, ``P1DT2H``."""
    hours, seconds = divmod(interval.seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    days = f"{interval.days}D" if interval.days else ""
    parts = [f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number]
    return f"P{days}T{''.join(parts)}" if parts else f"P{days or 'T0S'}"
