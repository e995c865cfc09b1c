"""Digests: what a portion of a tenant's jobs, its alerts and its rounds come to. Pure; whoever gathers adds them up.

digest = of_tenant(...) + of_jobs(portion) + of_jobs(portion) + of_alerts(...) + of_tenant(...) + ... + of_deliveries(...)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from alertd.alerts.sighting import Watched
from alertd.model.alert import Alert, State
from alertd.model.digest import (
    Digest,
    EscrowTrend,
    FailedDelivery,
    QuarantinedJob,
    TenantHealth,
    UnreadTenant,
    UnresolvedAlert,
    health,
)
from alertd.model.resources import SynchronizationJob, SynchronizationStatus
from alertd.notify.silences import Silence, silencer
from alertd.redaction import redact
from alertd.render.remedies import error_code
from alertd.render.wording import subject_name, summary
from alertd.store.values import Delivery, JobRecord, PrincipalRecord, TenantRecord

_QUARANTINE, _FAILED, _UNKNOWN = "Quarantine", "Failed", "unknown"
_NOTHING = SynchronizationStatus()

Before = Mapping[tuple[str, str], SynchronizationJob]  # by (service principal id, job id)


def of_tenant(name: str, record: TenantRecord | None, at: datetime, since: datetime | None) -> Digest:
    """Give what a tenant's latest round says; null: nobody has ever asked it."""
    unread = _unread(name, record)
    return Digest(
        at=at,
        since=since,
        **health(TenantHealth(tenant=name, read=unread is None)),
        unread=(unread,) if unread else (),
        unread_total=1 if unread else 0,
    )


def _unread(name: str, record: TenantRecord | None) -> UnreadTenant | None:
    if record is None or not record.rounds:
        return UnreadTenant(tenant=name)
    if not record.consecutivePollFailures and not record.failedServicePrincipals:
        return None
    return UnreadTenant(
        tenant=name,
        error=record.lastPollError or "",
        whole=record.consecutivePollFailures > 0,
        failed_rounds=record.consecutivePollFailures,
        applications=record.failedServicePrincipals,
        last_poll_at=record.lastPollAt,
    )


def of_jobs(
    watched: Watched,
    jobs: Iterable[JobRecord],
    principals: Mapping[str, PrincipalRecord],
    before: Before,
    at: datetime,
    since: datetime | None,
) -> Digest:
    """Give what a portion of a tenant's jobs comes to.

    principals: by id, for the names. before: how those that have changed since then stood at `since`, as far as the history knows; the others
    stood as they stand.
    """
    found = tuple(_Seen(watched, job, principals.get(job.service_principal_id)) for job in jobs)
    quarantined = tuple(job.quarantined() for job in found if job.in_quarantine)
    escrows = [(job, job.escrows_at(since, before), job.escrows) for job in found]
    known = [(job, then, now) for job, then, now in escrows if then is not None]
    trends = tuple(job.trend(then, now) for job, then, now in known if then != now)
    states, failing = Counter(job.code for job in found), sum(job.failing for job in found)
    tenant = TenantHealth(
        tenant=watched.name, jobs=len(found), states=states, quarantined=len(quarantined), failing=failing
    )
    return Digest(
        at=at,
        since=since,
        jobs=len(found),
        states=states,
        failing=failing,
        escrows=sum(now for _, _, now in known),
        escrows_before=sum(then for _, then, _ in known),
        **health(tenant),
        quarantined=quarantined,
        quarantined_total=len(quarantined),
        trends=trends,
        trends_total=len(trends),
    )


@attrs.frozen
class _Seen:
    """A job as a digest sees it."""

    watched: Watched
    record: JobRecord
    principal: PrincipalRecord | None

    @property
    def status(self) -> SynchronizationStatus:
        return self.record.job.status or _NOTHING

    @property
    def code(self) -> str:
        return self.status.code or _UNKNOWN

    @property
    def in_quarantine(self) -> bool:
        return self.code == _QUARANTINE

    @property
    def failing(self) -> bool:
        run = self.status.lastExecution
        return not self.in_quarantine and run is not None and run.state == _FAILED

    @property
    def escrows(self) -> int:
        return _escrows(self.record.job)

    def escrows_at(self, since: datetime | None, before: Before) -> int | None:
        """Give them as they were, or None where the job was not there, or the history does not reach so far back."""
        if since is None or self.record.first_seen_at > since:
            return None
        if self.record.changed_at <= since:
            return self.escrows
        then = before.get((self.record.service_principal_id, self.record.job.id))
        return None if then is None else _escrows(then)

    def quarantined(self) -> QuarantinedJob:
        quarantine, facts = self.status.quarantine, self.record.facts
        return QuarantinedJob(
            **self._named(),
            reason=(quarantine.reason if quarantine else None) or "",
            error_code=error_code(self.status) or "",
            since=facts.quarantinedSince,
            disable_at=facts.disableAt,
        )

    def trend(self, before: int, now: int) -> EscrowTrend:
        return EscrowTrend(**self._named(), before=before, now=now)

    def _named(self) -> dict[str, Any]:
        name = self.principal.principal.displayName if self.principal is not None else None
        return {
            "tenant": self.watched.name,
            "title": name or self.record.job.id,
            "job_id": self.record.job.id,
            "url": self.watched.portal_url(self.record.service_principal_id) or None,
        }


def _escrows(job: SynchronizationJob) -> int:
    run = job.status.lastExecution if job.status is not None else None
    return (run.countEscrowed if run is not None else None) or 0


def of_alerts(
    tenant: str, alerts: Iterable[Alert], silences: Iterable[Silence], at: datetime, since: datetime | None
) -> Digest:
    """Give what fires in a tenant; the empty name is alertd itself, which is no tenant."""
    in_force = tuple(silences)
    firing = [alert for alert in alerts if alert.state is State.FIRING]
    unresolved = tuple(_unresolved(alert, in_force, at) for alert in firing)
    return Digest(
        at=at,
        since=since,
        firing=Counter(alert.severity for alert in firing),
        **health(*([TenantHealth(tenant=tenant, firing=len(firing))] if tenant else [])),
        unresolved=unresolved,
        unresolved_total=len(unresolved),
    )


def _unresolved(alert: Alert, silences: tuple[Silence, ...], at: datetime) -> UnresolvedAlert:
    return UnresolvedAlert(
        name=alert.name,
        severity=alert.severity,
        tenant=alert.labels.get("tenant", ""),
        title=subject_name(alert.labels, alert.evidence),
        since=alert.startsAt or alert.activeSince,
        summary=summary(alert),
        fingerprint=alert.fingerprint,
        silenced=silencer(alert, silences, at) is not None,
        url=alert.evidence.job.url if alert.evidence.job is not None else None,
    )


def of_deliveries(deliveries: Iterable[Delivery], at: datetime, since: datetime | None) -> Digest:
    """Give what was given up since the digest before, the latest first as they come."""
    by_integration: dict[str, FailedDelivery] = {}
    for delivery in deliveries:
        ended = delivery.ended_at or delivery.decided_at
        if since is not None and ended < since:
            continue
        fresh = FailedDelivery(
            integration=delivery.integration_id, count=0, last_at=ended, error=redact(delivery.error)
        )
        known = by_integration.get(delivery.integration_id, fresh)
        latest = known if known.last_at >= ended else fresh
        by_integration[delivery.integration_id] = attrs.evolve(latest, count=known.count + 1)
    return Digest(at=at, since=since, failed=tuple(by_integration.values()), failed_total=len(by_integration))
