"""How rules see a tenant at the end of a round."""

from __future__ import annotations

from alertd.alerts.judgement import Case
from alertd.alerts.sighting import Watched, tenant_case
from alertd.model.alert import Evidence, Identity, Scope
from alertd.model.views import Subject, Tenant
from alertd.store.values import TenantRecord

from .alerts import START, alert
from .tenant import POLL

WATCHED = Watched(key="global/t-1", name="contoso", tenant_id="t-1", labels={"region": "emea"})
BEFORE = TenantRecord(key="global/t-1", name="contoso", rounds=6, lastPollAt=START - POLL)
CLOSED = TenantRecord(
    key="global/t-1",
    name="contoso",
    rounds=7,
    consecutivePollFailures=2,
    lastPollAt=START,
    lastPollError="auth",
    pollCoverage=0.5,
    failedServicePrincipals=3,
    credentialExpiresAt=START + 9 * POLL,
)


def test_a_tenant_is_seen_as_the_round_has_left_it() -> None:
    unreachable = {"TenantUnreachable": alert("TenantUnreachable", "")}

    case = tenant_case(WATCHED, BEFORE, CLOSED, unreachable, START)

    tenant = Tenant(
        name="contoso",
        id="t-1",
        labels={"region": "emea"},
        consecutivePollFailures=2,
        lastPollAt=START,
        lastPollError="auth",
        pollCoverage=0.5,
        failedServicePrincipals=3,
        credentialExpiresAt=START + 9 * POLL,
    )
    assert case == Case(
        scope=Scope.TENANT,
        subject=Subject(now=START, tenant=tenant),
        identity=Identity(rule="", tenant_key="global/t-1"),
        subject_labels={"tenant": "contoso", "tenant_id": "t-1"},
        evidence=Evidence(tenant=tenant, observed_from=START - POLL, observed_to=START),
        alerts=unreachable,
        sequence=7,
        changed=True,
    )
