"""What a digest says: of jobs, alerts, rounds and deliveries; and that portions add up to the whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.alerts.sighting import Watched
from alertd.model.alert import Alert, Evidence, Identity, State
from alertd.model.digest import KEPT, Digest, FailedDelivery, TenantHealth, UnreadTenant, UnresolvedAlert
from alertd.model.facts import step
from alertd.model.notification import DeliveryState, Reason, Rendered
from alertd.model.resources import (
    ServicePrincipal,
    SynchronizationError,
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.views import Job
from alertd.notify.digest import of_alerts, of_deliveries, of_jobs, of_tenant
from alertd.notify.matchers import parse_matcher
from alertd.notify.silences import Silence
from alertd.render.wording import digest_words
from alertd.store.values import Delivery, JobRecord, PrincipalRecord, TenantRecord

NOW = datetime(2026, 1, 12, 9, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
LONG_AGO = NOW - timedelta(days=30)
CONTOSO = Watched(
    key="global/t", name="contoso", tenant_id="t", portal_url=lambda key: f"https://entra.microsoft.com/{key}"
)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def record(
    name: str = "J.1",
    code: str | None = "Active",
    *,
    escrows: int | None = None,
    run: str | None = "Succeeded",
    quarantine: SynchronizationQuarantine | None = None,
    first_seen: datetime = LONG_AGO,
    changed: datetime = LONG_AGO,
) -> JobRecord:
    execution = SynchronizationTaskExecution(
        activityIdentifier="r", state=run, countEscrowed=escrows, timeEnded=changed
    )
    status = SynchronizationStatus(code=code, lastExecution=execution, quarantine=quarantine)
    job = SynchronizationJob(id=name, status=status)
    return JobRecord(
        tenant_key=CONTOSO.key,
        service_principal_id=f"sp-{name}",
        job=job,
        facts=step(None, None, job, changed),
        first_seen_at=first_seen,
        changed_at=changed,
    )


def jobs(*records: JobRecord, before: Any = None) -> Digest:
    named = {one.service_principal_id: principal(one.service_principal_id) for one in records}
    return of_jobs(CONTOSO, records, named, before or {}, NOW, SINCE)


def principal(key: str) -> PrincipalRecord:
    return PrincipalRecord(tenant_key=CONTOSO.key, principal=ServicePrincipal(id=key, displayName=f"App {key}"))


def alert(
    rule: str = "JobQuarantined",
    state: State = State.FIRING,
    hours: float = 1,
    job: str = "J.1",
    severity: str = "critical",
) -> Alert:
    identity = Identity(rule=rule, tenant_key=CONTOSO.key, service_principal_id="sp", job_id=job)
    labels = {"alertname": rule, "tenant": "contoso", "job_id": job}
    began = NOW - timedelta(hours=hours)
    return Alert(identity=identity, state=state, severity=severity, labels=labels, activeSince=began, startsAt=began)


def delivery(name: str, integration: str, ended: datetime, error: str = "503") -> Delivery:
    return Delivery(
        id=name, conversation_id=name, group_key="g", integration_id=integration, receiver="oncall", sequence=1,
        reason=Reason.REPEAT, state=DeliveryState.FAILED, rendered=Rendered(body=b"", content_type="text/plain"),
        decided_at=ended, due_at=ended, retry_until=ended, ended_at=ended, error=error,
    )  # fmt: skip


# Jobs.


def test_jobs_are_counted_by_state_and_those_whose_run_failed_beside() -> None:
    digest = jobs(
        record("1"),
        record("2", run="Failed"),
        record("3", "Paused"),
        record("4", None),
        record("5", "Quarantine", run="Failed"),
    )

    assert digest.jobs == 5
    assert digest.states == {"Active": 2, "Paused": 1, "unknown": 1, "Quarantine": 1}
    assert (digest.failing, digest.quarantined_total) == (1, 1)
    assert digest.tenants == (TenantHealth(tenant="contoso", jobs=5, states=digest.states, quarantined=1, failing=1),)


def test_a_quarantined_job_is_named_with_its_deadline() -> None:
    quarantine = SynchronizationQuarantine(
        reason="EncounteredQuarantineException", seriesBegan=NOW - days(20), error=SynchronizationError(code="Refused")
    )

    (told,) = jobs(record(code="Quarantine", quarantine=quarantine)).quarantined

    assert (told.tenant, told.title, told.job_id, told.url) == (
        "contoso",
        "App sp-J.1",
        "J.1",
        "https://entra.microsoft.com/sp-J.1",
    )
    assert (told.reason, told.error_code) == ("EncounteredQuarantineException", "Refused")
    assert (told.since, told.disable_at) == (NOW - days(20), NOW + days(8))


def test_of_a_quarantine_that_says_nothing_and_an_application_without_a_name_the_job_is_named() -> None:
    (told,) = of_jobs(CONTOSO, [record(code="Quarantine")], {}, {}, NOW, SINCE).quarantined

    assert (told.title, told.reason, told.error_code) == ("J.1", "", "")


def test_the_earliest_deadline_comes_first() -> None:
    def since(number: int) -> JobRecord:
        return record(f"{number}", "Quarantine", quarantine=SynchronizationQuarantine(seriesBegan=NOW - days(number)))

    digest = jobs(since(3), since(25)) + jobs(since(11))

    assert [job.job_id for job in digest.quarantined] == ["25", "11", "3"]


@pytest.mark.parametrize(
    ("job", "before", "expected"),
    [
        pytest.param(record(escrows=9), {}, [], id="unchanged since"),
        pytest.param(record(escrows=9, changed=NOW), {"J.1": 4}, [(4, 9)], id="more"),
        pytest.param(record(escrows=0, changed=NOW), {"J.1": 4}, [(4, 0)], id="fewer"),
        pytest.param(record(escrows=4, changed=NOW), {"J.1": 4}, [], id="changed in other ways"),
        pytest.param(record(escrows=9, changed=NOW), {"J.1": None}, [(0, 9)], id="none counted then"),
        pytest.param(record(escrows=9, changed=NOW), {}, [], id="the history does not reach so far back"),
        pytest.param(record(escrows=9, first_seen=NOW - days(1)), {}, [], id="not there then"),
        pytest.param(
            record(escrows=9, first_seen=SINCE, changed=NOW), {"J.1": 4}, [(4, 9)], id="first seen by the digest before"
        ),
        pytest.param(
            record(escrows=9, changed=SINCE), {"J.1": 4}, [], id="the digest before has told the latest change"
        ),
    ],
)
def test_what_has_become_of_errors(
    job: JobRecord, before: dict[str, int | None], expected: list[tuple[int, int]]
) -> None:
    stood = {("sp-J.1", name): record(name, escrows=count).job for name, count in before.items()}

    digest = jobs(job, before=stood)

    assert [(trend.before, trend.now) for trend in digest.trends] == expected
    assert digest.trends_total == len(expected)
    assert digest.escrows - digest.escrows_before == sum(now - then for then, now in expected)


@pytest.mark.parametrize(
    "status",
    [pytest.param(None, id="no status"), pytest.param(SynchronizationStatus(code="Active"), id="it has not run yet")],
)
def test_a_job_that_has_not_run_has_no_errors(status: SynchronizationStatus | None) -> None:
    job = record(escrows=9, changed=NOW)
    stood = {("sp-J.1", "J.1"): job.job}

    digest = jobs(attrs.evolve(job, job=attrs.evolve(job.job, status=status)), before=stood)

    assert [(trend.before, trend.now) for trend in digest.trends] == [(9, 0)]


def test_without_a_digest_before_there_is_no_trend() -> None:
    digest = of_jobs(
        CONTOSO, [record(escrows=9, changed=NOW)], {}, {("sp-J.1", "J.1"): record(escrows=1).job}, NOW, None
    )

    assert (digest.trends, digest.escrows, digest.escrows_before) == ((), 0, 0)


# Tenants, alerts, deliveries.


@pytest.mark.parametrize(
    "portion",
    [
        pytest.param(lambda: of_tenant("contoso", None, NOW, SINCE), id="rounds"),
        pytest.param(lambda: jobs(record()), id="jobs"),
        pytest.param(lambda: of_alerts("contoso", [alert()], [], NOW, SINCE), id="alerts"),
        pytest.param(lambda: of_deliveries([], NOW, SINCE), id="deliveries"),
    ],
)
def test_every_portion_says_which_time_it_tells_of(portion: Callable[[], Digest]) -> None:
    digest = portion()

    assert (digest.at, digest.since) == (NOW, SINCE)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(TenantRecord(key="k", name="contoso", rounds=3, lastPollAt=NOW), None, id="read"),
        pytest.param(None, UnreadTenant(tenant="contoso", whole=True), id="never asked"),
        pytest.param(
            TenantRecord(key="k", name="contoso"),
            UnreadTenant(tenant="contoso", whole=True),
            id="known, and no round has ended",
        ),
        pytest.param(
            TenantRecord(
                key="k", name="contoso", rounds=3, consecutivePollFailures=1, lastPollError="auth",
                failedServicePrincipals=9, lastPollAt=NOW - days(1),
            ),
            UnreadTenant(tenant="contoso", error="auth", whole=True, failed_rounds=1, applications=9, last_poll_at=NOW - days(1)),
            id="nothing answers",
        ),
        pytest.param(
            TenantRecord(key="k", name="contoso", rounds=3, failedServicePrincipals=1, lastPollAt=NOW),
            UnreadTenant(tenant="contoso", whole=False, applications=1, last_poll_at=NOW),
            id="some do not answer",
        ),
    ],
)  # fmt: skip
def test_tenants_that_cannot_be_read(known: TenantRecord | None, expected: UnreadTenant | None) -> None:
    digest = of_tenant("contoso", known, NOW, SINCE)

    assert digest.unread == ((expected,) if expected else ())
    assert (digest.unread_total, digest.fine_total) == ((0, 1) if expected is None else (1, 0))


def test_what_fires_is_listed_from_the_oldest_on() -> None:
    alerts = [
        alert(hours=1),
        alert("JobStale", hours=50, severity="warning"),
        alert("Old", State.RESOLVED, hours=90),
        alert("New", State.PENDING),
    ]

    digest = of_alerts("contoso", alerts, [], NOW, SINCE)

    assert [(one.name, one.silenced) for one in digest.unresolved] == [("JobQuarantined", False), ("JobStale", False)]
    assert [one.name for one in (digest + Digest(at=NOW)).unresolved] == ["JobStale", "JobQuarantined"]
    assert (digest.firing, digest.severity) == ({"critical": 1, "warning": 1}, "critical")
    assert (digest.unresolved_total, digest.tenants) == (2, (TenantHealth(tenant="contoso", firing=2),))


def test_an_alert_is_told_with_where_it_is_to_be_seen() -> None:
    job = Job(id="J.1", servicePrincipalId="sp", displayName="Salesforce", url="https://entra.microsoft.com/sp")
    fires = attrs.evolve(
        alert(hours=3),
        activeSince=NOW - timedelta(hours=5),
        annotations={"summary": "Salesforce is in quarantine"},
        evidence=Evidence(job=job),
    )

    (told,) = of_alerts("contoso", [fires], [], NOW, SINCE).unresolved

    assert told == UnresolvedAlert(
        name="JobQuarantined",
        severity="critical",
        tenant="contoso",
        title="Salesforce",
        since=NOW - timedelta(hours=3),
        summary="Salesforce is in quarantine",
        fingerprint=fires.fingerprint,
        url="https://entra.microsoft.com/sp",
    )


def test_alertd_itself_is_no_tenant() -> None:
    own = attrs.evolve(alert("ReceiverFailing"), labels={"alertname": "ReceiverFailing"})

    digest = of_alerts("", [own], [], NOW, SINCE)

    assert (digest.tenants, digest.tenants_total) == ((), 0)
    assert [(one.tenant, one.title, one.url) for one in digest.unresolved] == [("", "alertd", None)]


def test_what_is_silenced_is_still_unresolved_and_says_so() -> None:
    silence = Silence(
        id="s",
        matchers=(parse_matcher("alertname=JobStale"),),
        starts_at=SINCE,
        ends_at=NOW + days(1),
        created_by="ada",
        comment="known",
    )

    digest = of_alerts("contoso", [alert("JobStale")], [silence], NOW, SINCE)

    assert [one.silenced for one in digest.unresolved] == [True]


def test_deliveries_given_up_are_counted_by_integration_since_the_digest_before() -> None:
    given_up = [
        delivery("a", "oncall/teams/default", NOW - days(1), "404"),
        delivery("b", "oncall/email/default", SINCE - days(1)),
        delivery("c", "oncall/teams/default", NOW - days(2), "503"),
        delivery("d", "oncall/email/default", SINCE),
    ]

    digest = of_deliveries(given_up, NOW, SINCE)

    assert digest.failed == (
        FailedDelivery(integration="oncall/teams/default", count=2, last_at=NOW - days(1), error="404"),
        FailedDelivery(integration="oncall/email/default", count=1, last_at=SINCE, error="503"),
    )
    assert digest.failed_total == 2


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        pytest.param([1, 2], "first", id="the latest comes first"),
        pytest.param([2, 1], "second", id="it comes last: it was decided earlier, and tried for longer"),
        pytest.param([1, 1], "first", id="both at once"),
    ],
)
def test_the_error_told_is_that_of_the_latest_end(ended: list[int], expected: str) -> None:
    """They come by the time they were decided, which is not the order in which they were given up."""
    errors = zip(ended, ["first", "second"], strict=True)
    given_up = [
        attrs.evolve(delivery(error, "oncall/teams/default", NOW - days(ago), error), decided_at=NOW - days(6))
        for ago, error in errors
    ]

    (failed,) = of_deliveries(given_up, NOW, SINCE).failed

    assert (failed.count, failed.error, failed.last_at) == (2, expected, NOW - days(min(ended)))


# Sums.


@given(st.lists(st.sampled_from(["Active", "Quarantine", "Paused"]), max_size=30), st.integers(1, 7))
def test_portions_add_up_to_the_whole(codes: list[str], size: int) -> None:
    """However a tenant's jobs are cut into portions, the digest is the same."""
    records = [record(f"{number:02}", code, escrows=number, changed=NOW) for number, code in enumerate(codes)]
    before = {(one.service_principal_id, one.job.id): record(one.job.id, escrows=3).job for one in records}

    total = of_tenant("contoso", None, NOW, SINCE)
    for start in range(0, len(records), size):
        total += jobs(*records[start : start + size], before=before)

    assert total == of_tenant("contoso", None, NOW, SINCE) + jobs(*records, before=before)
    assert total.tenants_total == 1


def test_of_many_the_worst_are_kept_and_all_are_counted() -> None:
    total = Digest(at=NOW)
    for number in range(KEPT + 50):
        quarantine = SynchronizationQuarantine(seriesBegan=NOW - timedelta(hours=number))
        total += jobs(record(f"{number}", "Quarantine", quarantine=quarantine))

    assert (total.quarantined_total, len(total.quarantined)) == (KEPT + 50, KEPT)
    assert total.quarantined[0].job_id == f"{KEPT + 49}"
    assert total.tenants[0].quarantined == KEPT + 50


def test_tenants_of_which_nothing_is_to_be_told_are_counted() -> None:
    tenants = [TenantHealth(tenant="a", quarantined=1), TenantHealth(tenant="b"), TenantHealth(tenant="c", read=False)]
    total = Digest(at=NOW)
    for one in tenants:
        total += Digest(at=NOW, tenants=(one,), tenants_total=1, fine_total=int(one.fine))

    assert [one.tenant for one in total.unhealthy] == ["a", "c"]
    assert (total.tenants_total, total.fine_total, total.unhealthy_total) == (3, 1, 2)


# Words.


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        pytest.param(Digest(at=NOW, jobs=1, tenants_total=1), "all is well with 1 job in 1 tenant", id="well"),
        pytest.param(Digest(at=NOW, jobs=10_000, tenants_total=200), "all is well with 10,000 jobs in 200 tenants", id="many are well"),
        pytest.param(Digest(at=NOW, tenants_total=2), "no job has been seen in 2 tenants", id="nothing there"),
        pytest.param(Digest(at=NOW, jobs=9, tenants_total=2, quarantined_total=3), "3 of 9 jobs in quarantine", id="quarantine"),
        pytest.param(
            of_tenant("a", None, NOW, None) + of_tenant("b", TenantRecord(key="b", name="b", rounds=1, failedServicePrincipals=2), NOW, None),
            "1 tenant cannot be read, 1 tenant only in part", id="tenants",
        ),
        pytest.param(
            Digest(at=NOW, jobs=9, tenants_total=1, unresolved_total=1, failed_total=2),
            "1 alert unresolved, deliveries given up at 2 integrations", id="the rest",
        ),
    ],
)  # fmt: skip
def test_a_digest_in_one_line(digest: Digest, expected: str) -> None:
    assert digest_words(digest) == expected
