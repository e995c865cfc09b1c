"""How the rules see a job at one instant: the subject they are asked about, and the case around it. Pure.

The rounds of the daemon, a backtest and an explanation all look through here, so what one of them saw the others see too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import attrs

from alertd.alerts.judgement import Case
from alertd.model.alert import Alert, Evidence, Identity, Scope
from alertd.model.change import Change
from alertd.model.resources import SynchronizationJob
from alertd.model.views import Job, Subject, Tenant
from alertd.store.values import JobRecord, PrincipalRecord, TenantRecord


@attrs.frozen(kw_only=True)
class Watched:
    """A tenant as configured. portal_url: gives a service principal's provisioning page by its id."""

    key: str
    name: str
    tenant_id: str
    labels: Mapping[str, str] = attrs.field(factory=dict)
    portal_url: Callable[[str], str] = lambda _: ""

    def view(self, record: TenantRecord) -> Tenant:
        """Give what rules see of this tenant."""
        return Tenant(
            name=self.name,
            id=self.tenant_id,
            labels=self.labels,
            consecutivePollFailures=record.consecutivePollFailures,
            lastPollAt=record.lastPollAt,
            lastPollError=record.lastPollError,
            pollCoverage=record.pollCoverage,
            failedServicePrincipals=record.failedServicePrincipals,
            credentialExpiresAt=record.credentialExpiresAt,
        )


def last_ok_at(principal: PrincipalRecord, tenant: TenantRecord) -> datetime | None:
    """Give a principal's latest good reading, or an instant just before it: while it is asked and answers, only rounds are written down.

    What has changed since that reading has changed since this instant too, so a message may say "changed between".
    """
    asked_at = principal.asked_at or tenant.asked_from or tenant.lastPollAt
    if principal.outcome == "ok" and principal.last_ok_at and asked_at:
        return max(principal.last_ok_at, asked_at)
    return principal.last_ok_at


def job_labels(watched: Watched, principal: PrincipalRecord, job: SynchronizationJob) -> Mapping[str, str]:
    """Give the labels that say which job it is."""
    return {
        **tenant_labels(watched),
        "job_id": job.id,
        "service_principal": principal.principal.displayName or "",
        "service_principal_id": principal.principal.id,
        "template_id": job.templateId or "",
    }


def tenant_labels(watched: Watched) -> Mapping[str, str]:
    """Give the labels that say which tenant it is."""
    return {"tenant": watched.name, "tenant_id": watched.tenant_id}


@attrs.frozen(kw_only=True)
class Sighting:
    """One tenant's jobs as they are seen at `now`. tenant: as it stood after the round before."""

    watched: Watched
    tenant: TenantRecord
    now: datetime
    view: Tenant = attrs.field(init=False)

    @view.default
    def _view(self) -> Tenant:
        return self.watched.view(self.tenant)

    def case(
        self,
        principal: PrincipalRecord,
        record: JobRecord,
        subject: Subject,
        changes: Iterable[Change],
        *,
        alerts: Mapping[str, Alert],
        changed: bool,
        baseline: bool,
        renewed: bool,
    ) -> Case:
        """Put a subject before the rules.

        alerts: the job's own, by rule. changed: the reading differs from the one before, or the job has appeared or gone. baseline: first
        sight is not told. renewed: quarantine was left and re-entered unseen.
        """
        evidence = Evidence(
            status=subject.status,
            previous=subject.previous,
            job=subject.job,
            tenant=subject.tenant,
            changes=tuple(changes),
            observed_from=last_ok_at(principal, self.tenant) if subject.previous else None,
            observed_to=self.now,
        )
        return Case(
            scope=Scope.JOB,
            subject=subject,
            identity=_identity(record),
            subject_labels=job_labels(self.watched, principal, record.job),
            evidence=evidence,
            alerts=alerts,
            sequence=record.sequence,
            changed=changed,
            baseline=baseline,
            new_series=renewed,
        )

    def subject(
        self,
        principal: PrincipalRecord,
        record: JobRecord,
        *,
        before: JobRecord | None = None,
        listed: bool = True,
        gone: bool = False,
        appeared: bool = False,
    ) -> Subject:
        """Give all that rules may look at; `before` is the record at the last good reading, the same one where only time has passed."""
        seen = last_ok_at(principal, self.tenant)
        url = self.watched.portal_url(record.service_principal_id) or None
        job = self._job(principal, record, url, self.now if listed else seen, gone=gone, appeared=appeared)
        return Subject(
            now=self.now,
            status=record.job.status,
            previous=before.job.status if before else None,
            job=job,
            previous_job=self._job(principal, before, url, seen) if before else None,
            tenant=self.view,
            instants=record.facts.instants,
        )

    def _job(
        self,
        principal: PrincipalRecord,
        record: JobRecord,
        url: str | None,
        seen_at: datetime | None,
        *,
        gone: bool = False,
        appeared: bool = False,
    ) -> Job:
        facts = record.facts
        return Job(
            id=record.job.id,
            templateId=record.job.templateId,
            displayName=principal.principal.displayName,
            servicePrincipalId=record.service_principal_id,
            appId=principal.principal.appId,
            url=url,
            firstSeenAt=record.first_seen_at,
            lastSeenAt=seen_at,
            gone=gone,
            appeared=appeared,
            schedule=record.job.schedule,
            settings=record.job.synchronizationJobSettings,
            failureStreak=facts.failureStreak,
            escrowRatio=facts.escrowRatio,
            progressRatio=facts.progressRatio,
            expectedRunAt=facts.expectedRunAt,
            quarantinedSince=facts.quarantinedSince,
            disableAt=facts.disableAt,
        )


def tenant_case(
    watched: Watched, before: TenantRecord, closed: TenantRecord, alerts: Mapping[str, Alert], now: datetime
) -> Case:
    """Put a tenant before its rules at the end of a round; they see the round just ended."""
    subject = Subject(now=now, tenant=watched.view(closed))
    return Case(
        scope=Scope.TENANT,
        subject=subject,
        identity=Identity(rule="", tenant_key=watched.key),
        subject_labels=tenant_labels(watched),
        evidence=Evidence(tenant=subject.tenant, observed_from=before.lastPollAt, observed_to=now),
        alerts=alerts,
        sequence=closed.rounds,
        changed=True,
    )


def _identity(record: JobRecord) -> Identity:
    return Identity(
        rule="",
        tenant_key=record.tenant_key,
        service_principal_id=record.service_principal_id,
        job_id=record.job.id,
    )
