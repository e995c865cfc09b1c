"""Both adapters, and values to put into them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alertd.model.alert import Alert, Event, Evidence, Identity, State
from alertd.model.change import Change
from alertd.model.facts import Facts
from alertd.model.notification import DeliveryState, Reason, Rendered, Withheld
from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    ServicePrincipal,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.notify.matchers import parse_matcher
from alertd.notify.silences import Silence
from alertd.store.memory import MemoryStore
from alertd.store.port import Reader, Store
from alertd.store.sql import SqlStore
from alertd.store.values import (
    Announced,
    Conversation,
    Delivery,
    Group,
    HistoryEntry,
    JobRecord,
    LogEntry,
    PrincipalRecord,
    ReadingChange,
    RoundEntry,
    TenantRecord,
    Told,
    TransitionEntry,
)

T0 = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
CONTOSO = "global/11111111-1111-1111-1111-111111111111"
RUN = "4f1e6f0a-4a2c-4d68-9a58-0c6d3d8f1b10"


def at(minutes: float) -> datetime:
    """Give an instant counted from the suite's beginning."""
    return T0 + timedelta(minutes=minutes)


class Samples:
    """One value of each kind; what a test is about is given, the rest is likely."""

    at = staticmethod(at)

    def tenant(self, key: str = CONTOSO, **given: Any) -> TenantRecord:
        return TenantRecord(key=key, **{"name": "contoso", "lastPollAt": T0, "pollCoverage": 0.5} | given)

    def principal(self, name: str = "sp-1", tenant_key: str = CONTOSO, **given: Any) -> PrincipalRecord:
        principal = ServicePrincipal(id=name, appId="app", displayName=f"App {name}", accountEnabled=True)
        return PrincipalRecord(tenant_key=tenant_key, principal=principal, **given)

    def snapshot(
        self, name: str = "job-1", code: str = "Active", run: str = RUN, ended: float = 0
    ) -> SynchronizationJob:
        execution = SynchronizationTaskExecution(
            activityIdentifier=run, countExported=3, state="Succeeded", timeBegan=at(ended - 1), timeEnded=at(ended)
        )
        return SynchronizationJob(
            id=name,
            templateId="scim",
            schedule=SynchronizationSchedule(interval=timedelta(minutes=40), state="Active"),
            status=SynchronizationStatus(
                code=code,
                countSuccessiveCompleteFailures=0,
                lastExecution=execution,
                lastSuccessfulExecution=execution,
                progress=(SynchronizationProgress(completedUnits=1, totalUnits=3, units="users"),),
                quarantine=SynchronizationQuarantine(reason="TooManyDeletes") if code == "Quarantine" else None,
                synchronizedEntryCountByType=EntryCounts({"user to User": 33}),
            ),
            synchronizationJobSettings=JobSettings({"Domain": "contoso.com"}),
        )

    def facts(self, **given: Any) -> Facts:
        instants = {"status.code": (("Quarantine", T0), ("Active", at(5)))}
        return Facts(**{"lastRun": RUN, "escrowRatio": 0.25, "expectedRunAt": at(40), "instants": instants} | given)

    def job(self, name: str = "job-1", principal: str = "sp-1", tenant_key: str = CONTOSO, **given: Any) -> JobRecord:
        likely = {"job": self.snapshot(name), "facts": self.facts(), "first_seen_at": T0, "changed_at": at(5)}
        return JobRecord(tenant_key=tenant_key, service_principal_id=principal, **likely | given)

    def identity(self, rule: str = "JobQuarantined", principal: str = "sp-1", tenant_key: str = CONTOSO) -> Identity:
        return Identity(
            rule=rule, tenant_key=tenant_key, service_principal_id=principal, job_id="job-1" if principal else ""
        )

    def evidence(self) -> Evidence:
        before, after = self.snapshot(), self.snapshot(code="Quarantine")
        changes = (
            Change("status.code", "Active", "Quarantine"),
            Change("job.schedule.interval", timedelta(minutes=40), None),
            Change("status.lastExecution.timeEnded", at(-40), at(0)),
            Change("status.progress", None, (SynchronizationProgress(completedUnits=1),)),
        )
        return Evidence(
            status=after.status, previous=before.status, changes=changes, observed_from=at(-5), observed_to=T0, note="!"
        )

    def alert(
        self, rule: str = "JobQuarantined", principal: str = "sp-1", tenant_key: str = CONTOSO, **given: Any
    ) -> Alert:
        likely = {"state": State.FIRING, "severity": "critical", "labels": {"team": "identity"}, "activeSince": T0}
        return Alert(
            identity=self.identity(rule, principal, tenant_key), **likely | {"evidence": self.evidence()} | given
        )

    def event(self, rule: str = "EscrowsPruned", sequence: int = 7, minute: float = 0, **given: Any) -> Event:
        likely = {"severity": "error", "labels": {"alertname": rule}, "evidence": self.evidence()}
        return Event(identity=self.identity(rule), sequence=sequence, at=at(minute), **likely | given)

    def silence(self, name: str = "s-1", ends: float | None = 60, **given: Any) -> Silence:
        likely = {"matchers": (parse_matcher('tenant=~"con.*"'),), "created_by": "ada", "comment": "a window"}
        ends_at = None if ends is None else at(ends)
        return Silence(id=name, ends_at=ends_at, **likely | {"starts_at": T0} | given)

    def group(self, key: str = "route:contoso", due: float = 0, **given: Any) -> Group:
        likely = {"route_id": "route", "labels": {"tenant": "contoso"}, "opened_at": T0, "first_flush_at": T0}
        return Group(key=key, due_at=at(due), **likely | given)

    def conversation(self, name: str = "talk-1", group_key: str = "route:contoso", **given: Any) -> Conversation:
        likely = {
            "integration_id": "oncall/teams/0",
            "receiver": "oncall",
            "started_at": T0,
            "sequence": 2,
            "told": (
                Told(fingerprint="f2", episode=1, at=at(1)),
                Told(fingerprint="f1", episode=2, at=T0, absent=True),
                Told(fingerprint="f1", episode=1, at=T0),
            ),
            "announced": (Announced(fingerprint="f3", episode=1),),
            "events": (self.event(),),
        }
        return Conversation(id=name, group_key=group_key, **likely | given)

    def delivery(self, name: str = "d-1", minute: float = 0, **given: Any) -> Delivery:
        likely = {
            "conversation_id": f"talk-of-{name}",
            "group_key": "route:contoso",
            "integration_id": "oncall/teams/0",
            "receiver": "oncall",
            "sequence": 1,
            "reason": Reason.FIRST_NOTIFICATION,
            "rendered": Rendered(body=b"\x00{}", content_type="application/json", headers={"X-Id": "1"}),
            "firing": (Announced(fingerprint="f1", episode=1),),
            "events": (self.event(),),
            "decided_at": at(minute),
            "due_at": at(minute),
            "retry_until": at(minute + 1440),
        }
        return Delivery(id=name, **likely | given)

    def ended(self, name: str, minute: float, state: DeliveryState, integration_id: str = "oncall/teams/0") -> Delivery:
        return self.delivery(name, minute, state=state, ended_at=at(minute), integration_id=integration_id)

    def entry(self, sequence: int = 1, minute: float = 0, job: str = "job-1", **given: Any) -> HistoryEntry:
        likely = {"tenant_key": CONTOSO, "service_principal_id": "sp-1", "job_id": job}
        return HistoryEntry(**likely | {"sequence": sequence, "at": at(minute)} | given)

    def chain(self, codes: list[str], job: str = "job-1", start: float = 0, **given: Any) -> list[HistoryEntry]:
        """Give a job's entries, a full one and changes of its code, five minutes apart; `gone` is a code of its own."""
        entries = [self.entry(1, start, job, full=self.snapshot(job, codes[0]), facts=self.facts(), **given)]
        for place, (before, after) in enumerate(itertools.pairwise(codes), start=1):
            changed = {"gone": True} if after == "gone" else {"changes": (Change("status.code", before, after),)}
            entries.append(self.entry(place + 1, start + 5 * place, job, **changed | given))
        return entries

    def round(self, minute: float = 0, tenant_key: str = CONTOSO, **given: Any) -> RoundEntry:
        return RoundEntry(tenant_key=tenant_key, at=at(minute), asked=3, ok=2, failed=1, jobs=9, **given)

    def reading(self, outcome: str = "ok", minute: float = 0, principal: str = "sp-1") -> ReadingChange:
        return ReadingChange(tenant_key=CONTOSO, service_principal_id=principal, at=at(minute), outcome=outcome)

    def transition(self, minute: float = 0, fingerprint: str = "f1", **given: Any) -> TransitionEntry:
        return TransitionEntry(
            fingerprint=fingerprint,
            rule="JobQuarantined",
            tenant_key=CONTOSO,
            service_principal_id="sp-1",
            job_id="job-1",
            at=at(minute),
            before=State.INACTIVE,
            after=State.FIRING,
            episode=1,
            **given,
        )

    def decision(
        self, minute: float = 0, group_key: str = "g", alerts: tuple[str, ...] = ("f1",), **given: Any
    ) -> LogEntry:
        likely = {} if "reason" in given else {"withheld": Withheld.UNCHANGED}
        return LogEntry(at=at(minute), group_key=group_key, receiver="oncall", alerts=alerts, **likely | given)


@pytest.fixture
def make() -> Samples:
    return Samples()


@pytest.fixture(scope="session")
async def empty_database(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> Path:
    """A file with the schema and nothing in it, to be copied: migrations run once."""
    path = tmp_path_factory.mktemp("template") / "alertd.db"
    store = await SqlStore.open(path)
    await store.close()
    return path


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Path:
    return Path(shutil.copy(empty_database, tmp_path / "alertd.db"))


@pytest.fixture
async def sql_store(database: Path) -> AsyncIterator[SqlStore]:
    store = await SqlStore.open(database)
    yield store
    await store.close()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, database: Path) -> AsyncIterator[Store]:
    opened = MemoryStore() if request.param == "memory" else await SqlStore.open(database)
    yield opened
    await opened.close()


async def _everything(reader: Reader) -> dict[str, object]:
    tenants = await reader.tenants()
    keys = [tenant.key for tenant in tenants] or [CONTOSO]
    groups = await reader.groups()
    return {
        "tenants": tenants,
        "principals": [await reader.principals(key) for key in keys],
        "jobs": [await reader.jobs(key) for key in keys],
        "alerts": await reader.alerts(),
        "alerts in groups": [await reader.alerts_in(group.key) for group in groups],
        "events": [await reader.events_in(group.key) for group in groups],
        "groups": groups,
        "silences": await reader.silences(),
        "conversations": await reader.conversations(),
        "deliveries": await reader.deliveries(),
        "failed": await reader.failed_integrations(),
        "history": [entry async for entry in reader.history()],
        "rounds": [await reader.rounds(key) for key in keys],
        "readings": [await reader.reading_changes(key) for key in keys],
        "transitions": await reader.transitions(),
        "log": await reader.log(),
    }


@pytest.fixture
def everything() -> Any:
    """Give all that a reader answers, to compare a store with itself."""
    return _everything
