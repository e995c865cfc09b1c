"""Sample messages: what `check` renders templates with, what drills show, and what the pictures of our tests are made of.

One for every reason, and some that templates stumble over: first sight, nothing known, names that mean harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from alertd.model.alert import Alert, Child, Ended, Event, Evidence, Identity, State
from alertd.model.change import Change
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
from alertd.model.notification import EndingSilence, Notification, Reason, ResolvedAlert
from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    SynchronizationError,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.views import Job, Tenant

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
_TENANT_ID = "11111111-1111-1111-1111-111111111111"
_PORTAL = (
    "https://entra.microsoft.com/#view/Microsoft_AAD_Connect_Provisioning/ProvisioningMenuBlade/~/Overview/objectId/"
)
_HOSTILE = "Sales\u202e [click](https://evil.example) *force* <b>&amp;</b>\x07\nsecond line {{DATE(2026-01-01)}}"

# What the rule language calls things is not needed here: a template's name says what kind of trouble it is.
TEMPLATES = (
    "quarantine",
    "escrows",
    "failure",
    "deletes",
    "schedule",
    "gone",
    "tenant",
    "alertd",
    "common_cause",
    None,
)
AWKWARD = (
    "first sight",
    "nothing known",
    "hostile names",
    "many alerts",
    "empty drill",
    "a repeat",
    "a hostile silence",
    "digest well",
    "digest hostile",
    "digest empty",
)


def tenant() -> Tenant:
    """Give a tenant whose last round failed."""
    return Tenant(
        name="contoso",
        id=_TENANT_ID,
        labels={"region": "emea"},
        consecutivePollFailures=3,
        lastPollAt=NOW,
        lastPollError="auth",
        pollCoverage=0.0,
        failedServicePrincipals=14,
        credentialExpiresAt=NOW + timedelta(days=12),
    )


def status(code: str = "Quarantine", reason: str = "EncounteredQuarantineException") -> SynchronizationStatus:
    """Give a status with everything in it."""
    fault = SynchronizationError(
        code="SalesforceInvalidCredentials",
        message="The credentials were refused: StatusCode Unauthorized, invalid_grant (authentication failure).",
        tenantActionable=True,
    )
    failed = code == "Quarantine"
    held_back = reason == "TooManyDeletes"
    return SynchronizationStatus(
        code=code,
        countSuccessiveCompleteFailures=6 if failed and not held_back else 0,
        escrowsPruned=False,
        lastExecution=_run(
            "Failed" if failed and not held_back else "Succeeded",
            NOW - timedelta(minutes=20),
            fault if failed and not held_back else None,
        ),
        lastSuccessfulExecution=_run(
            "Succeeded", NOW - (timedelta(hours=9) if failed else timedelta(minutes=20)), None
        ),
        quarantine=_quarantine(reason, fault) if failed else None,
        synchronizedEntryCountByType=EntryCounts({"user to User": 1_204, "group to Group": 33}),
        troubleshootingUrl="https://portal.azure.com/#blade/Troubleshoot",
    )


def _run(state: str, ended: datetime, fault: SynchronizationError | None) -> SynchronizationTaskExecution:
    return SynchronizationTaskExecution(
        activityIdentifier="2dea06a7-2960-420d-931e-f6c807ebda24",
        countEntitledForProvisioning=1_204,
        countEscrowed=15,
        countExported=3,
        error=fault,
        state=state,
        timeBegan=ended - timedelta(minutes=4),
        timeEnded=ended,
    )


def _quarantine(reason: str, fault: SynchronizationError) -> SynchronizationQuarantine:
    return SynchronizationQuarantine(
        currentBegan=NOW - timedelta(minutes=20),
        nextAttempt=NOW + timedelta(hours=5, minutes=40),
        reason=reason,
        seriesBegan=NOW - timedelta(minutes=20),
        seriesCount=1,
        error=fault if reason == "EncounteredQuarantineException" else None,
    )


def job(name: str = "Salesforce", number: int = 1) -> Job:
    """Give a job with everything in it."""
    principal = f"8fb9a5c4-0000-4000-8000-{number:012d}"
    return Job(
        id=f"Salesforce.{_TENANT_ID.replace('-', '')}.{number:04d}",
        templateId="Salesforce",
        displayName=name,
        servicePrincipalId=principal,
        url=f"{_PORTAL}{principal}",
        firstSeenAt=NOW - timedelta(days=90),
        lastSeenAt=NOW,
        schedule=SynchronizationSchedule(interval=timedelta(minutes=40), state="Active"),
        settings=JobSettings({"QuarantineTooManyDeletesThreshold": "500"}),
        failureStreak=6,
        escrowRatio=15 / 1_204,
        progressRatio=0.4,
        expectedRunAt=NOW + timedelta(hours=5, minutes=40),
        quarantinedSince=NOW - timedelta(minutes=20),
        disableAt=NOW - timedelta(minutes=20) + timedelta(days=28),
    )


def evidence(of: Job | None = None, *, reason: str = "EncounteredQuarantineException") -> Evidence:
    """Give what was seen when a job entered quarantine."""
    failures = (Change("status.countSuccessiveCompleteFailures", 0, 6),) if reason != "TooManyDeletes" else ()
    changes = (
        Change("status.code", "Active", "Quarantine"),
        Change("status.quarantine.reason", None, reason),
        *failures,
        Change("status.lastExecution.activityIdentifier", "a", "b"),
    )
    return Evidence(
        status=status(reason=reason),
        previous=status("Active"),
        job=of or job(),
        tenant=tenant(),
        changes=changes,
        observed_from=NOW - timedelta(minutes=36),
        observed_to=NOW - timedelta(minutes=1),
    )


def alert(
    rule: str = "JobQuarantined",
    *,
    name: str = "Salesforce",
    number: int = 1,
    severity: str = "critical",
    template: str | None = "quarantine",
    seen: Evidence | None = None,
    summary: str | None = None,
) -> Alert:
    """Give a firing alert about a job."""
    about = job(name, number)
    identity = Identity(
        rule=rule, tenant_key=f"global/{_TENANT_ID}", service_principal_id=about.servicePrincipalId, job_id=about.id
    )
    labels = {
        "alertname": rule,
        "severity": severity,
        "tenant": "contoso",
        "tenant_id": _TENANT_ID,
        "service_principal": name,
        "service_principal_id": about.servicePrincipalId,
        "job_id": about.id,
        "template_id": "Salesforce",
    }
    return Alert(
        identity=identity,
        state=State.FIRING,
        severity=severity,
        labels=labels,
        annotations={
            "summary": summary if summary is not None else f"{name} is in quarantine: EncounteredQuarantineException"
        },
        template=template,
        episode=1,
        activeSince=NOW - timedelta(minutes=1),
        startsAt=NOW - timedelta(minutes=1),
        evidence=seen or evidence(about),
    )


def ended(
    of: Alert, how: Ended = Ended.RESOLVED, *, after: timedelta = timedelta(hours=2, minutes=11)
) -> ResolvedAlert:
    """End an alert: a job that runs again, or one that was last seen as it was."""
    changes = (Change("status.code", "Quarantine", "Active"), Change("status.countSuccessiveCompleteFailures", 6, 0))
    begun = (of.startsAt or NOW) - after
    about = attrs.evolve(of.evidence.job or job(), failureStreak=0, quarantinedSince=None, disableAt=None)
    seen = attrs.evolve(of.evidence, status=status("Active"), previous=status(), job=about, changes=changes)
    over = attrs.evolve(
        of,
        state=State.RESOLVED,
        activeSince=begun,
        startsAt=begun,
        endsAt=NOW,
        ended=how,
        evidence=seen if how is Ended.RESOLVED else of.evidence,
    )
    return ResolvedAlert(alert=over, ended=how)


def event(rule: str = "EscrowsPruned", *, template: str | None = "escrows", summary: str | None = None) -> Event:
    """Give an event about a job."""
    like = alert(rule, severity="error", template=template)
    pruned = attrs.evolve(status("Active"), escrowsPruned=True)
    seen = attrs.evolve(
        like.evidence, status=pruned, previous=status("Active"), changes=(Change("status.escrowsPruned", False, True),)
    )
    text = (
        summary
        if summary is not None
        else "Salesforce: the service has thrown away error records during the first cycle"
    )
    return Event(
        identity=like.identity,
        sequence=7,
        at=NOW,
        severity="error",
        labels=like.labels,
        annotations={"summary": text},
        template=template,
        evidence=seen,
    )


def notification(reason: Reason = Reason.FIRST_NOTIFICATION, **change: Any) -> Notification:  # noqa: ANN401 - any field
    """Give a message with this reason about one job in quarantine, changed as said."""
    base = Notification(
        key="0f3a9b7c.1",
        conversation="0f3a9b7c",
        sequence=1,
        reason=reason,
        receiver="identity-oncall",
        group_key="route0/contoso/JobQuarantined",
        group_labels={"tenant": "contoso", "alertname": "JobQuarantined"},
        firing=(alert(),),
        at=NOW,
        external_url="https://alertd.example.com",
    )
    return attrs.evolve(base, **change)


def unreachable() -> Alert:
    """Give the alert about a tenant that does not answer."""
    like = alert(
        "TenantUnreachable", severity="error", template="tenant", summary="contoso has not answered for 3 rounds (auth)"
    )
    identity = Identity(rule="TenantUnreachable", tenant_key=like.identity.tenant_key)
    labels = {
        name: text for name, text in like.labels.items() if name in {"alertname", "severity", "tenant", "tenant_id"}
    }
    return attrs.evolve(like, identity=identity, labels=labels, evidence=Evidence(tenant=tenant(), observed_to=NOW))


def samples() -> Mapping[str, Notification]:
    """Give a message for every reason and every kind of block, by a name for problems and pictures."""
    over = ended(alert())
    changes: Mapping[Reason, Mapping[str, Any]] = {
        Reason.NEW_ALERTS: {"firing": _several(3)},
        Reason.SOME_RESOLVED: {"firing": _several(2), "resolved": (over,)},
        Reason.ALL_RESOLVED: {"firing": (), "resolved": (over,)},
        Reason.LATE: {"firing": (), "resolved": (over,)},
        Reason.EVENT: {"firing": (), "events": (event(),)},
        Reason.SUBJECT_GONE: {"firing": (), "resolved": (ended(alert(), Ended.GONE),)},
        Reason.NOT_WATCHED: {"firing": (), "resolved": (ended(alert(), Ended.NOT_WATCHED),)},
        Reason.MUTE_SUMMARY: {
            "firing": (*_several(6), unreachable()),
            "resolved": (ended(alert(name="Zoom", number=50)),),
            "events": (event(), event("ScheduleChanged", template="schedule")),
            "group_labels": {"tenant": "contoso"},
        },
        Reason.SILENCE_ENDING: {"firing": _several(3), "silence": silence()},
        Reason.REMINDER_DEADLINE: {"at": NOW + timedelta(days=25)},
        Reason.FALLBACK: {"receiver": "managers", "stands_in_for": ("identity-oncall/teams/default",)},
        Reason.ESCALATION: {"receiver": "managers"},
        Reason.DIGEST: _digest_parts(digest()),
        Reason.RULE_REMOVED: {"firing": (), "resolved": (ended(alert(), Ended.RULE_REMOVED),)},
    }
    by_reason = {reason.value: notification(reason, **changes.get(reason, {})) for reason in Reason}
    return by_reason | {f"template {template}": _about(template) for template in TEMPLATES} | _awkward()


def silence(comment: str = "the certificate is renewed tonight, change 4711") -> EndingSilence:
    """Give a silence that ends half an hour after the message."""
    return EndingSilence(
        id="3f2a1c9e-7d14-4b8e-9c55-0f6d2b7a4e10",
        created_by="ada@example.com",
        comment=comment,
        starts_at=NOW - timedelta(hours=8),
        ends_at=NOW + timedelta(minutes=30),
    )


def _several(count: int) -> tuple[Alert, ...]:
    names = (
        "Salesforce",
        "Workday to Entra ID",
        "ServiceNow",
        "Box",
        "Slack",
        "Zoom",
        "Dropbox Business",
        "SAP Cloud Identity",
    )
    return tuple(alert(name=f"{names[number % len(names)]}", number=number + 1) for number in range(count))


def _about(template: str | None) -> Notification:
    if template == "tenant":
        return notification(
            firing=(unreachable(),), group_labels={"tenant": "contoso", "alertname": "TenantUnreachable"}
        )
    if template == "deletes":
        return deletes()
    if template == "common_cause":
        return common_cause()
    return notification(firing=(alert(template=template), alert(template=template, number=2, seen=Evidence())))


def common_cause() -> Notification:
    """Give the message about many jobs that met the same."""
    jobs = _several(14)
    children = tuple(
        Child(
            fingerprint=one.fingerprint,
            name=one.name,
            title=one.labels["service_principal"],
            tenant="contoso",
            startsAt=NOW - timedelta(minutes=number),
            error_code="SalesforceInvalidCredentials",
            url=one.evidence.job.url if one.evidence.job else None,
        )
        for number, one in enumerate(jobs)
    )
    like = jobs[0]
    parent = attrs.evolve(
        like,
        identity=Identity(rule="ManyJobsQuarantined", tenant_key=like.identity.tenant_key, cause="{}"),
        labels={"alertname": "ManyJobsQuarantined", "severity": "critical", "tenant": "contoso"},
        annotations={"summary": "14 alerts JobQuarantined in contoso: SalesforceInvalidCredentials"},
        template="common_cause",
        evidence=Evidence(status=status(), observed_to=NOW, children=children, children_total=len(children)),
    )
    labels = {"tenant": "contoso", "alertname": "ManyJobsQuarantined"}
    return notification(firing=(parent,), group_labels=labels)


def deletes() -> Notification:
    """Give the message about deletions that were held back."""
    seen = evidence(reason="TooManyDeletes")
    held = alert(
        "TooManyDeletes", template="deletes", seen=seen, summary="Salesforce holds back more deletions than allowed"
    )
    return notification(firing=(held,), group_labels={"tenant": "contoso", "alertname": "TooManyDeletes"})


def _awkward() -> dict[str, Notification]:
    bare = attrs.evolve(alert(template=None), labels={}, annotations={}, evidence=Evidence())
    named = alert(name=_HOSTILE, summary=_HOSTILE * 20)
    first_sight = alert(seen=attrs.evolve(evidence(), previous=None, changes=(), observed_from=None))
    awkward = (
        notification(firing=(first_sight,)),
        notification(firing=(bare,), group_labels={}, external_url=None),
        notification(firing=(named,)),
        notification(Reason.NEW_ALERTS, firing=_several(12), resolved=(ended(alert(number=50)),)),
        notification(Reason.DRILL, firing=(), group_labels={}),
        notification(repeated=True),
        notification(Reason.SILENCE_ENDING, silence=silence(_HOSTILE * 20)),
        *(notification(Reason.DIGEST, **_digest_parts(told)) for told in (_well(), _hostile_digest(), Digest(at=NOW))),
    )
    return dict(zip(AWKWARD, awkward, strict=True))


def digest() -> Digest:
    """Give a digest with everything in it."""
    tenants = (
        TenantHealth(
            tenant="contoso", jobs=14, states={"Active": 10, "Quarantine": 3, "Paused": 1}, quarantined=3, firing=4
        ),
        TenantHealth(tenant="fabrikam", jobs=6, states={"Active": 5, "Quarantine": 1}, quarantined=1, failing=1),
        TenantHealth(tenant="tailspin", jobs=9, states={"Active": 9}, read=False),
        TenantHealth(tenant="wingtip", jobs=11, states={"Active": 11}),
    )
    quarantined = tuple(
        QuarantinedJob(
            tenant=tenant,
            title=title,
            job_id=f"job.{days}",
            reason="EncounteredQuarantineException",
            error_code=code,
            since=NOW - timedelta(days=days, hours=2),
            disable_at=NOW + timedelta(days=28 - days, hours=-2),
            url=f"{_PORTAL}8fb9a5c4-0000-4000-8000-{days:012d}",
        )
        for tenant, title, code, days in (
            ("contoso", "Workday to Entra ID", "WorkdayInvalidCredentials", 26),
            ("contoso", "Salesforce", "SalesforceInvalidCredentials", 9),
            ("fabrikam", "ServiceNow", "", 3),
            ("contoso", "Box", "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable", 1),
        )
    )
    unresolved = tuple(
        UnresolvedAlert(
            name=name,
            severity=severity,
            tenant="contoso",
            title=title,
            since=NOW - timedelta(days=days, hours=2),
            silenced=title == "Box",
            url=f"{_PORTAL}8fb9a5c4-0000-4000-8000-{days:012d}",
        )
        for name, severity, title, days in (
            ("JobQuarantined", "critical", "Workday to Entra ID", 26),
            ("JobStale", "warning", "Zoom", 12),
            ("JobQuarantined", "critical", "Salesforce", 9),
            ("JobQuarantined", "critical", "Box", 1),
        )
    )
    return Digest(
        at=NOW,
        since=NOW - timedelta(days=7),
        jobs=40,
        states={"Active": 35, "Quarantine": 4, "Paused": 1},
        failing=1,
        firing={"critical": 3, "warning": 1},
        escrows=1_530,
        escrows_before=1_204,
        **health(*tenants),
        unread=(UnreadTenant(tenant="tailspin", error="auth", failed_rounds=31, applications=9, last_poll_at=NOW),),
        unread_total=1,
        quarantined=quarantined,
        quarantined_total=len(quarantined),
        unresolved=unresolved,
        unresolved_total=len(unresolved),
        trends=(
            EscrowTrend(tenant="contoso", title="SAP Cloud Identity", job_id="sap.1", before=80, now=430),
            EscrowTrend(tenant="fabrikam", title="Slack", job_id="slack.1", before=31, now=7),
        ),
        trends_total=2,
        failed=(
            FailedDelivery(
                integration="managers/email/default",
                count=2,
                last_at=NOW - timedelta(hours=30),
                error="550 mailbox unavailable",
            ),
        ),
        failed_total=1,
    )


def _digest_parts(told: Digest) -> Mapping[str, Any]:
    return {"firing": (), "group_key": "digest", "group_labels": {}, "digest": told}


def _well() -> Digest:
    tenants = [TenantHealth(tenant=name, jobs=20, states={"Active": 20}) for name in ("contoso", "fabrikam")]
    return Digest(
        at=NOW,
        since=NOW - timedelta(days=7),
        jobs=40,
        states={"Active": 40},
        escrows=12,
        escrows_before=12,
        **health(*tenants),
    )


def _hostile_digest() -> Digest:
    """Give names that mean harm, and more of them than any channel shows."""
    told = digest()
    jobs = tuple(
        attrs.evolve(one, title=f"{number} {_HOSTILE}", tenant=_HOSTILE, reason=_HOSTILE, error_code=_HOSTILE * 9)
        for number in range(50)
        for one in told.quarantined
    )
    alerts = tuple(attrs.evolve(one, title=_HOSTILE, name=_HOSTILE) for one in told.unresolved)
    failed = tuple(attrs.evolve(one, integration=_HOSTILE, error=_HOSTILE * 20) for one in told.failed)
    return attrs.evolve(
        told,
        quarantined=jobs,
        quarantined_total=3_000,
        unresolved=alerts,
        failed=failed,
        states={_HOSTILE: 1, **told.states},
        since=None,
    )
