"""A store with something in it, and the daemon's HTTP over it on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest

from alertd.config.sections import Listen
from alertd.errors import ConfigError, Problem
from alertd.metrics import Metrics
from alertd.model.alert import Alert, Identity, State
from alertd.model.facts import step
from alertd.model.notification import DeliveryState, Reason, Rendered
from alertd.model.resources import ServicePrincipal, SynchronizationJob
from alertd.render import samples
from alertd.store.memory import MemoryStore
from alertd.store.values import Delivery, JobRecord, PrincipalRecord, TenantRecord
from alertd.web.server import WebServer
from alertd.web.status import EngineFacts

NOW = samples.NOW
CONTOSO, FABRIKAM = "global/11111111-1111-1111-1111-111111111111", "global/22222222-2222-2222-2222-222222222222"
HOSTILE = "<script>alert(1)</script>\u202e"


class StillClock:
    """A clock that stands."""

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


@attrs.define
class Engine:
    """The engine's facts, to be changed by tests."""

    told: EngineFacts = attrs.field(factory=lambda: EngineFacts(started_at=NOW - timedelta(days=3, hours=4)))

    def facts(self) -> EngineFacts:
        return self.told

    def now_has(self, **changes: Any) -> None:
        self.told = attrs.evolve(self.told, **changes)


@attrs.define
class Reloads:
    """What a reload comes to."""

    problems: tuple[Problem, ...] = ()
    calls: int = 0

    async def __call__(self) -> tuple[Problem, ...]:
        self.calls += 1
        if self.problems:
            raise ConfigError(self.problems)
        return ()


def quarantined_alert(name: str = "Salesforce", number: int = 1) -> Alert:
    like = samples.alert(name=name, number=number)
    identity = Identity(
        rule=like.name, tenant_key=CONTOSO, service_principal_id=f"sp-{number}", job_id=f"{name}.{number:04}"
    )
    labels = {**like.labels, "job_id": identity.job_id, "service_principal_id": identity.service_principal_id}
    return attrs.evolve(like, identity=identity, labels=labels, state=State.FIRING)


def job_record(name: str = "Salesforce", number: int = 1, code: str = "Quarantine") -> JobRecord:
    job = SynchronizationJob(id=f"{name}.{number:04}", templateId=name.lower(), status=samples.status(code))
    return JobRecord(
        tenant_key=CONTOSO,
        service_principal_id=f"sp-{number}",
        job=job,
        facts=step(None, None, job, NOW),
        first_seen_at=NOW - timedelta(days=90),
        changed_at=NOW,
    )


def delivery(number: int, state: DeliveryState, **changes: Any) -> Delivery:
    given: dict[str, Any] = {
        "id": f"c{number}-1",
        "conversation_id": f"c{number}",
        "group_key": '{}:{alertname="JobQuarantined", tenant="contoso"}',
        "integration_id": "identity-oncall/teams/default",
        "receiver": "identity-oncall",
        "sequence": 1,
        "reason": Reason.FIRST_NOTIFICATION,
        "state": state,
        "rendered": Rendered(body=b"{}", content_type="application/json"),
        "decided_at": NOW - timedelta(minutes=number),
        "due_at": NOW + timedelta(minutes=1),
        "retry_until": NOW + timedelta(days=1),
        "attempts": 1,
    }
    ended = NOW - timedelta(seconds=30) if state in {DeliveryState.DELIVERED, DeliveryState.FAILED} else None
    return Delivery(**{**given, "ended_at": ended, **changes})


async def fill(store: MemoryStore) -> None:
    """Put a day's trouble into a store."""
    tenants = [
        TenantRecord(key=CONTOSO, name="contoso", rounds=812, lastPollAt=NOW - timedelta(minutes=2)),
        TenantRecord(
            key=FABRIKAM,
            name="fabrikam",
            rounds=811,
            lastPollAt=NOW - timedelta(minutes=3),
            lastPollError="permission",
            consecutivePollFailures=4,
            pollCoverage=0.0,
            credentialExpiresAt=NOW + timedelta(days=12),
        ),
    ]
    principals = [
        PrincipalRecord(tenant_key=CONTOSO, principal=ServicePrincipal(id=f"sp-{number}", displayName=name))
        for number, name in enumerate(("Salesforce", "Workday to Entra ID", "Box"), 1)
    ]
    async with store.transaction() as transaction:
        for tenant in tenants:
            await transaction.save_tenant(tenant)
        await transaction.save_principals(principals)
        await transaction.save_jobs([job_record(), job_record("Workday", 2), job_record("Box", 3, code="Active")])
        alerts = [quarantined_alert(), quarantined_alert("Workday to Entra ID", 2), samples.unreachable()]
        pending = attrs.evolve(
            samples.alert("JobStale", severity="warning", template=None, number=3, summary=f"Box {HOSTILE} is late"),
            state=State.PENDING,
            startsAt=None,
        )
        await transaction.save_alerts([(alert, ()) for alert in [*alerts, pending]])
        for row in (
            delivery(1, DeliveryState.DELIVERED),
            delivery(2, DeliveryState.DELIVERED, integration_id="identity-oncall/email/default"),
            delivery(
                3,
                DeliveryState.PENDING,
                attempts=3,
                error="503 from https://hooks.example.com/secret-path?sig=SECRET",
                error_reason="server_error",
            ),
        ):
            await transaction.save_delivery(row)


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await fill(store)
    return store


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def reloads() -> Reloads:
    return Reloads()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(process=False)


@pytest.fixture
async def server(store: MemoryStore, engine: Engine, reloads: Reloads, metrics: Metrics) -> AsyncIterator[WebServer]:
    server = WebServer(
        Listen("127.0.0.1", 0),
        store,
        engine,
        reloads,
        clock=StillClock(),
        metrics=metrics,
        external_url="https://alertd.example.com",
    )
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def web(server: WebServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.origin, trust_env=False, timeout=10) as client:
        yield client
