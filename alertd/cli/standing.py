"""How everything stands, as `alertd status` shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from alertd.config import Config
from alertd.model.alert import State
from alertd.model.notification import DeliveryState
from alertd.store.port import Reader
from alertd.store.values import TenantRecord

_OPEN = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.UNKNOWN)


async def standing(reader: Reader, config: Config) -> Mapping[str, Any]:
    """Gather tenants, alerts by state and severity, and deliveries that are open or failed."""
    now = datetime.now(UTC)
    tenants = {record.key: record for record in await reader.tenants()}
    alerts = await reader.alerts()
    talks = await reader.conversations()
    silences = await reader.silences(ending_after=now)
    waiting = await reader.deliveries(states=_OPEN)
    return {
        "tenants": [await _tenant(reader, one.name, one.key, tenants.get(one.key)) for one in config.tenants],
        "alerts": dict(Counter(str(alert.state) for alert in alerts)),
        "firing": dict(Counter(alert.severity for alert in alerts if alert.state is State.FIRING)),
        "acknowledged": sum(talk.acknowledged is not None for talk in talks),
        "silences": sum(silence.in_force(now) for silence in silences),
        "deliveries_open": len(waiting),
        "deliveries_failed": dict(await reader.failed_integrations()),
    }


async def _tenant(reader: Reader, name: str, key: str, record: TenantRecord | None) -> dict[str, Any]:
    jobs = await reader.jobs(key)
    return {
        "tenant": name,
        "jobs": len(jobs),
        "in_quarantine": sum(bool(job.job.status and job.job.status.code == "Quarantine") for job in jobs),
        "last_poll": record.lastPollAt if record else None,
        "failed_rounds": record.consecutivePollFailures if record else 0,
        "error": record.lastPollError if record else None,
        "coverage": f"{record.pollCoverage:.0%}" if record else None,
        "credential_expires": record.credentialExpiresAt if record else None,
    }


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Say the rest in words."""
    firing = ", ".join(f"{number} {severity}" for severity, number in found["firing"].items())
    yield f"firing: {firing or 'nothing'}"
    yield f"conversations acknowledged: {found['acknowledged']}, silences in force: {found['silences']}"
    yield f"deliveries under way: {found['deliveries_open']}"
    for integration, number in found["deliveries_failed"].items():
        yield f"given up at {integration} since it last accepted anything: {number}"
