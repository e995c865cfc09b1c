"""What alertd knows of itself at one moment: from the store, and from the engine what only the running process knows.

A look at a store of any size costs about the same: what is listed is bounded, what troubles comes first.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from alertd.clock import Clock
from alertd.errors import Problem, StoreError
from alertd.metrics import Figures, TenantFigures
from alertd.model.alert import Alert, State
from alertd.model.notification import DeliveryState
from alertd.render.wording import severity_rank
from alertd.store.port import Reader, Store
from alertd.store.values import Delivery, JobRecord, TenantRecord, Usage
from alertd.web.quiet import Quiet, quiet

LISTED_MAX = 1000
USAGE_WINDOW = timedelta(hours=1)
OPEN = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.UNKNOWN)
QUARANTINE = "Quarantine"
_WRITE_SECONDS = (
    5.0  # a store that lets nobody write for so long is in trouble; a slice holds it for tens of milliseconds
)


@attrs.frozen(kw_only=True)
class EngineFacts:
    """What only the running engine knows.

    overdue: names of tenants whose rounds do not end any more. reload_problems: why the latest reload was refused.
    """

    started_at: datetime
    overdue: tuple[str, ...] = ()
    unhealthy_rules: tuple[str, ...] = ()
    reload_failed: bool = False
    reload_problems: tuple[Problem, ...] = ()
    store_trouble: bool = False


class EngineStatus(Protocol):
    """The running engine, as far as it is looked at."""

    def facts(self) -> EngineFacts:
        """Say how it is."""
        ...


@attrs.frozen(kw_only=True)
class QuarantinedJob:
    """A job in quarantine as it was at its last good reading. since, disable_at: as the facts have it."""

    tenant: str
    service_principal: str
    job_id: str
    reason: str
    since: datetime | None
    disable_at: datetime | None


@attrs.frozen(kw_only=True)
class Snapshot:
    """One moment. What is listed is bounded by LISTED_MAX; `figures` counts everything, but waiting deliveries only so far as well.

    usage: what each tenant's rounds of the last hour came to at Graph, by its key.
    alerts: those that fire, are pending or stand at baseline, the worst first. waiting: deliveries not at their end, the latest first.
    failed: given up, of integrations that have accepted nothing since. delivered: the latest. reasons: why alertd is not ready.
    quiet: what is silenced or acknowledged.
    """

    now: datetime
    engine: EngineFacts
    tenants: tuple[TenantRecord, ...]
    usage: Mapping[str, Usage]
    alerts: tuple[Alert, ...]
    quarantined: tuple[QuarantinedJob, ...]
    waiting: tuple[Delivery, ...]
    failed: tuple[Delivery, ...]
    delivered: tuple[Delivery, ...]
    reasons: tuple[str, ...]
    figures: Figures
    quiet: Quiet = attrs.field(factory=Quiet)

    @property
    def ready(self) -> bool:
        """Whether alertd can do its work."""
        return not self.reasons


class Status(Protocol):
    """Where pages, metrics and API get what they show."""

    async def snapshot(self) -> Snapshot:
        """Look at everything. Raises StoreError if the store cannot be read."""
        ...

    async def reasons(self) -> tuple[str, ...]:
        """Say why alertd is not ready; empty if it is."""
        ...


class StoreStatus:
    """The status of an alertd over its store."""

    def __init__(self, store: Store, engine: EngineStatus, clock: Clock) -> None:
        self._store = store
        self._engine = engine
        self._clock = clock

    async def snapshot(self) -> Snapshot:
        """Look at everything. Raises StoreError if the store cannot be read."""
        reasons, store_bytes = await self.reasons(), await self._store.size_bytes()
        facts, now = self._engine.facts(), self._clock.now()
        async with self._store.reading() as reader:
            tenants = await reader.tenants()
            alerts = await reader.alerts()
            live = sorted(filter(_is_live, alerts), key=_urgency)[:LISTED_MAX]
            waiting = await reader.deliveries(states=OPEN, limit=LISTED_MAX)
            failing = await reader.failed_integrations()
            return Snapshot(
                now=now,
                engine=facts,
                tenants=tuple(sorted(tenants, key=lambda one: _trouble(one, facts.overdue))),
                usage=await reader.usage(now - USAGE_WINDOW),
                alerts=tuple(live),
                quarantined=await _quarantined(reader, live, {one.key: one.name for one in tenants}),
                waiting=waiting,
                failed=await _failed(reader, failing),
                delivered=await reader.deliveries(states=[DeliveryState.DELIVERED], limit=20),
                reasons=reasons,
                figures=_figures(tenants, alerts, waiting, failing, facts, reasons, store_bytes),
                quiet=await quiet(reader, alerts, now),
            )

    async def reasons(self) -> tuple[str, ...]:
        """Say why alertd is not ready; empty if it is."""
        facts = self._engine.facts()
        told = [f"tenant {name}: no round has ended in time" for name in facts.overdue]
        told += ["the store could not be written at the latest try"] if facts.store_trouble else []
        trouble = await self._trouble_with_store()
        return (*told, trouble) if trouble else tuple(told)

    async def _trouble_with_store(self) -> str:
        try:
            async with asyncio.timeout(_WRITE_SECONDS), self._store.transaction():
                return ""
        except TimeoutError:
            return f"the store has let nobody write for {_WRITE_SECONDS:g} seconds"
        except StoreError as error:
            return f"the store cannot be written: {error}"


def _is_live(alert: Alert) -> bool:
    return alert.state in {State.FIRING, State.PENDING, State.BASELINE}


_STATES = {State.FIRING: 0, State.PENDING: 1, State.BASELINE: 2}


def _urgency(alert: Alert) -> tuple[int, int, datetime]:
    return _STATES[alert.state], severity_rank(alert.severity), alert.startsAt or alert.activeSince


def _trouble(tenant: TenantRecord, overdue: Sequence[str]) -> tuple[bool, int, float, str]:
    return tenant.name not in overdue, -tenant.consecutivePollFailures, tenant.pollCoverage, tenant.name


async def _quarantined(reader: Reader, alerts: Iterable[Alert], names: Mapping[str, str]) -> tuple[QuarantinedJob, ...]:
    """Find the jobs in quarantine among those that alerts are about, as they stand now: reading all jobs would not be bounded."""
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    for alert in alerts:
        if alert.evidence.status is not None and alert.evidence.status.code == QUARANTINE:
            name = alert.labels.get("service_principal", "")
            wanted[alert.identity.tenant_key][alert.identity.service_principal_id] = name
    found: list[QuarantinedJob] = []
    for key, shown in wanted.items():
        jobs = await reader.jobs(key, shown)
        found += [quarantined(job, names.get(key, key), shown) for job in jobs if is_quarantined(job)]
    return tuple(sorted(found, key=lambda job: (job.disable_at is None, job.disable_at, job.job_id)))


def is_quarantined(record: JobRecord) -> bool:
    """Whether the job was in quarantine at its last good reading."""
    return record.job.status is not None and record.job.status.code == QUARANTINE


def quarantined(record: JobRecord, tenant: str, principals: Mapping[str, str]) -> QuarantinedJob:
    """Give what the page says of a job in quarantine. principals: their names by id."""
    quarantine = record.job.status.quarantine if record.job.status is not None else None
    return QuarantinedJob(
        tenant=tenant,
        service_principal=principals.get(record.service_principal_id) or record.service_principal_id,
        job_id=record.job.id,
        reason=(quarantine.reason if quarantine is not None else None) or "",
        since=record.facts.quarantinedSince,
        disable_at=record.facts.disableAt,
    )


async def _failed(reader: Reader, failing: Mapping[str, int]) -> tuple[Delivery, ...]:
    found: list[Delivery] = []
    for integration, number in failing.items():
        found += await reader.deliveries(
            states=[DeliveryState.FAILED], integration_id=integration, limit=min(number, LISTED_MAX - len(found))
        )
        if len(found) >= LISTED_MAX:
            break
    return tuple(found)


def _figures(
    tenants: Iterable[TenantRecord],
    alerts: Iterable[Alert],
    waiting: Iterable[Delivery],
    failing: Mapping[str, int],
    facts: EngineFacts,
    reasons: Sequence[str],
    store_bytes: int,
) -> Figures:
    counted = tuple(
        TenantFigures(
            name=one.name,
            last_round_at=one.lastPollAt,
            coverage=one.pollCoverage,
            consecutive_failures=one.consecutivePollFailures,
        )
        for one in tenants
    )
    return Figures(
        tenants=counted,
        alerts=Counter((alert.state.value, alert.severity) for alert in alerts),
        backlog={state.value: 0 for state in OPEN} | Counter(one.state.value for one in waiting),
        failed=failing,
        unhealthy_rules=len(facts.unhealthy_rules),
        reload_failed=facts.reload_failed,
        store_trouble=facts.store_trouble,
        ready=not reasons,
        store_bytes=store_bytes,
    )
