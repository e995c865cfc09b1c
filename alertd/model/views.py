"""What rules and templates see beside Graph's own status: the job, its tenant, and alertd itself.

Members of `job` are spelled as Graph spells its properties, since half of them are; the names are a contract with
users' rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from alertd.model.resources import JobSettings, SynchronizationSchedule, SynchronizationStatus
from alertd.model.value import value


@value(kw_only=True)
class Job:
    """One synchronization job as alertd knows it at one reading.

    displayName: the service principal's name. url: the job's provisioning page in the Entra portal.
    firstSeenAt, lastSeenAt: first and latest good reading that listed it.
    gone: it has just vanished. appeared: it is new in a principal that had been read before, and this is its first
        reading.
    failureStreak: failed runs in a row. escrowRatio, progressRatio: 0 to 1, null where there is nothing to divide by.
    expectedRunAt: when it should run next. quarantinedSince, disableAt: null outside quarantine; the service
        disables it at `disableAt` at the latest.
    """

    id: str
    templateId: str | None = None
    displayName: str | None = None
    servicePrincipalId: str
    appId: str | None = None
    url: str | None = None
    firstSeenAt: datetime | None = None
    lastSeenAt: datetime | None = None
    gone: bool = False
    appeared: bool = False
    schedule: SynchronizationSchedule | None = None
    settings: JobSettings | None = None
    failureStreak: int = 0
    escrowRatio: float | None = None
    progressRatio: float | None = None
    expectedRunAt: datetime | None = None
    quarantinedSince: datetime | None = None
    disableAt: datetime | None = None


@value(kw_only=True)
class Tenant:
    """One tenant as alertd knows it after its latest round.

    name: as configured. id: the tenant's GUID. labels: as configured.
    consecutivePollFailures: rounds in a row that asked and were not answered `ok` by any principal.
    lastPollError: the kind of the latest failed round, kept until a good one. pollCoverage: ok / asked, 1 when none
        was asked.
    """

    name: str
    id: str
    labels: Mapping[str, str] = attrs.field(factory=dict)
    consecutivePollFailures: int = 0
    lastPollAt: datetime | None = None
    lastPollError: str | None = None
    pollCoverage: float = 1.0
    failedServicePrincipals: int = 0
    credentialExpiresAt: datetime | None = None


@value(kw_only=True)
class Alertd:
    """alertd's own health.

    failedDeliveries: deliveries given up at integrations that have not accepted anything since.
    unhealthyRules: rules that failed at their latest evaluation. reloadFailed: the latest reload was refused.
    storeTrouble: the store could not be written at the latest try.
    """

    failedDeliveries: int = 0
    unhealthyRules: int = 0
    reloadFailed: bool = False
    storeTrouble: bool = False


@value(kw_only=True)
class Subject:
    """Everything an expression or annotation may look at; `previous` and `previous_job` are null at first sight.

    In scope `tenant` only `tenant` and `now` are given, in scope `alertd` only `alertd` and `now`.
    instants: for `transitions()`: path -> ((value it became, when), ...), oldest first, the present reading included.
    """

    now: datetime
    status: SynchronizationStatus | None = None
    previous: SynchronizationStatus | None = None
    job: Job | None = None
    previous_job: Job | None = None
    tenant: Tenant | None = None
    alertd: Alertd | None = None
    instants: Mapping[str, tuple[tuple[object, datetime], ...]] = attrs.field(factory=dict)
