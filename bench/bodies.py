"""Answers as Graph writes them, encoded beforehand but for what differs: who, and which run was the last.

One service principal has one job of some 2.5 kB, as Graph answers it in full. One in `SICK_EVERY` is in quarantine, so that there are alerts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    SynchronizationError,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.simulator.wire import job_body

SICK_EVERY = 200
PAGE = 999

# Placeholders of the same kind as what takes their place, and as long.
_JOB, _RUN = "00000000", "11111111-1111-4111-8111-111111111111"
_BEGAN, _ENDED = datetime(2001, 1, 1, 1, 1, 1, 100001, tzinfo=UTC), datetime(2002, 2, 2, 2, 2, 2, 200002, tzinfo=UTC)
_EXPORTED = 770_077
_CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals('{id}')/synchronization/jobs"


def principal_id(number: int) -> str:
    """Give the object id of a service principal; it holds its number."""
    return f"{number:08x}-5e4f-4c1a-9d2b-3a7c90d1e2f4"


def principal_number(identifier: str) -> int:
    """Give the number that an object id holds."""
    return int(identifier[:8], 16)


def principal(number: int) -> dict[str, Any]:
    """Give a service principal as a listing has it."""
    return {
        "id": principal_id(number),
        "appId": f"{number:08x}-0c11-45b7-8f3a-6f1d2c3b4a59",
        "displayName": f"Workday to Active Directory {number}",
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "applicationTemplateId": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
    }


class Bodies:
    """Writes answers. now: when the jobs of round 0 ran last; every round is a run five minutes later."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._well = _template("Active")
        self._sick = _template("Quarantine")
        self.fallen: set[int] = set()  # jobs that have gone into quarantine since

    def jobs(self, number: int, turn: int) -> bytes:
        """Give the body of a principal's synchronization/jobs in a round."""
        ended = self._now + timedelta(minutes=5 * turn, milliseconds=number % 1000)
        template = self._sick if number % SICK_EVERY == 0 or number in self.fallen else self._well
        return template % {
            b"number": b"%08x" % number,
            b"run": b"%08x-%04x-4111-8111-111111111111" % (number, turn),
            b"began": _written(ended - timedelta(seconds=73)),
            b"ended": _written(ended),
            b"exported": b"%d" % (turn * 7 + number % 50),
        }

    def batch(self, asked: list[tuple[bytes, int]], turn: int) -> bytes:
        """Give the answer to a batch of part ids and principal numbers, in reverse order, since Graph keeps none."""
        parts = [
            b'{"id":"%b","status":200,"headers":{"Cache-Control":"no-cache","Content-Type":"application/json"},"body":%b}'
            % (name, self.jobs(number, turn))
            for name, number in reversed(asked)
        ]
        return b'{"responses":[' + b",".join(parts) + b"]}"


def _template(code: str) -> bytes:
    body = {
        "@odata.context": _CONTEXT.format(id=f"{_JOB}-5e4f-4c1a-9d2b-3a7c90d1e2f4"),
        "value": [job_body(_job(code))],
    }
    text = msgspec.json.encode(body).replace(b"%", b"%%")
    for found, name in (
        (_JOB.encode(), b"%(number)b"),
        (_RUN.encode(), b"%(run)b"),
        (_written(_BEGAN), b"%(began)b"),
        (_written(_ENDED), b"%(ended)b"),
        (str(_EXPORTED).encode(), b"%(exported)b"),
    ):
        assert found in text, found  # noqa: S101 - a placeholder that is not there would make every round the same
        text = text.replace(found, name)
    return text


def _written(instant: datetime) -> bytes:
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds").encode()


def _job(code: str) -> SynchronizationJob:
    """Make a job of which everything is given that Graph may give."""
    sick = code == "Quarantine"
    long_ago = datetime(2025, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
    message = (
        "The provisioning service could not reach the target application in the time it had; it will try again on its own. "
        "If this goes on, check the tenant URL, the secret token and the firewall rules of the target application."
    )
    none = SynchronizationError(code="None", message="", tenantActionable=False)
    failed = SynchronizationError(code="SystemForCrossDomainIdentityManagementServiceIncompatible", message=message)
    run = SynchronizationTaskExecution(
        activityIdentifier=_RUN,
        countEntitled=4211,
        countEntitledForProvisioning=4203,
        countEscrowed=17,
        countEscrowedRaw=19,
        countExported=_EXPORTED,
        countExports=_EXPORTED,
        countImported=4220,
        countImportedDeltas=88,
        countImportedReferenceDeltas=12,
        error=failed if sick else none,
        state="Failed" if sick else "Succeeded",
        timeBegan=_BEGAN,
        timeEnded=_ENDED,
    )
    earlier = SynchronizationTaskExecution(
        activityIdentifier="5b0c5d4e-9d5c-4a53-8f0f-0f1f4a8d3c21",
        countEntitled=4100,
        countExported=311,
        countExports=311,
        countImported=4180,
        error=none,
        state="Succeeded",
        timeBegan=long_ago,
        timeEnded=long_ago + timedelta(seconds=90),
    )
    quarantine = SynchronizationQuarantine(
        currentBegan=_BEGAN,
        nextAttempt=_ENDED,
        reason="EncounteredQuarantineException",
        seriesBegan=_BEGAN,
        seriesCount=3,
        error=failed,
    )
    return SynchronizationJob(
        id=f"Workday2AD.{_JOB}",
        templateId="Workday2ActiveDirectory",
        schedule=SynchronizationSchedule(interval=timedelta(minutes=40), state="Active"),
        status=SynchronizationStatus(
            code=code,
            countSuccessiveCompleteFailures=2 if sick else 0,
            escrowsPruned=False,
            lastExecution=run,
            lastSuccessfulExecution=earlier if sick else run,
            lastSuccessfulExecutionWithExports=earlier,
            progress=(
                SynchronizationProgress(
                    completedUnits=4203, totalUnits=4203, progressObservationDateTime=long_ago, units="Entries"
                ),
            ),
            quarantine=quarantine if sick else None,
            steadyStateFirstAchievedTime=long_ago,
            steadyStateLastAchievedTime=long_ago + timedelta(days=9),
            synchronizedEntryCountByType=EntryCounts({"user to User": 4100, "group to Group": 103}),
            troubleshootingUrl="https://portal.azure.com/#view/Microsoft_AAD_Connect_Provisioning/ProvisioningLogs",
        ),
        synchronizationJobSettings=JobSettings(
            {
                "AzureIngestionAttributeOptimization": "False",
                "LookaheadQueryEnabled": "False",
                "QuarantineTooManyDeletesThreshold": "500",
                "UserDeletionTimeout": "P30D",
            }
        ),
    )
