"""How everything stands, as `alertd status` shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from alertd.config import Config
from alertd.model.alert import State
from alertd.model.notification import DeliveryState
from alertd.store.port import Reader
from alertd.store.values import TenantRecord, Usage

_IN_WORDS = ("throttled", "repeated")
_AT_ONCE = 500  # service principals
_USAGE_WINDOW = timedelta(hours=1)
_OPEN = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.UNKNOWN)


async def standing(reader: Reader, config: Config) -> Mapping[str, Any]:
    """Gather tenants, alerts by state and severity, and deliveries that are open or failed."""
    now = datetime.now(UTC)
    tenants = {record.key: record for record in await reader.tenants()}
    alerts = await reader.alerts()
    talks = await reader.conversations()
    silences = await reader.silences(ending_after=now)
    waiting = await reader.deliveries(states=_OPEN)
    usage = await reader.usage(now - _USAGE_WINDOW)
    return {
        "tenants": [
            await _tenant(reader, one.name, one.key, tenants.get(one.key), usage.get(one.key)) for one in config.tenants
        ],
        "alerts": dict(Counter(str(alert.state) for alert in alerts)),
        "firing": dict(Counter(alert.severity for alert in alerts if alert.state is State.FIRING)),
        "acknowledged": sum(talk.acknowledged is not None for talk in talks),
        "silences": sum(silence.in_force(now) for silence in silences),
        "deliveries_open": len(waiting),
        "deliveries_failed": dict(await reader.failed_integrations()),
    }


async def _tenant(
    reader: Reader, name: str, key: str, record: TenantRecord | None, usage: Usage | None
) -> dict[str, Any]:
    jobs, quarantined = await _count_jobs(reader, key)
    return {
        "tenant": name,
        "jobs": jobs,
        "in_quarantine": quarantined,
        "last_poll": record.lastPollAt if record else None,
        "failed_rounds": record.consecutivePollFailures if record else 0,
        "error": record.lastPollError if record else None,
        "coverage": f"{record.pollCoverage:.0%}" if record else None,
        "not_asked": record.not_asked if record else 0,
        "requests_per_hour": usage.requests if usage else 0,
        "requests_per_job_and_hour": round(usage.requests / jobs, 2) if usage and jobs else None,
        "throttled": usage.throttled if usage else 0,
        "repeated": usage.repeated if usage else 0,
        "credential_expires": record.credentialExpiresAt if record else None,
    }


async def _count_jobs(reader: Reader, key: str) -> tuple[int, int]:
    """Count a tenant's jobs, and those in quarantine, without ever holding all of them."""
    jobs, quarantined, after = 0, 0, ""
    while page := await reader.principals_after(key, after, _AT_ONCE):
        after = page[-1].principal.id
        found = await reader.jobs(key, [one.principal.id for one in page if one.has_jobs])
        jobs += len(found)
        quarantined += sum(bool(job.job.status and job.job.status.code == "Quarantine") for job in found)
    return jobs, quarantined


def rows(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the tenants as a table has room for them; `lines` says the rest."""
    return [{key: value for key, value in tenant.items() if key not in _IN_WORDS} for tenant in found["tenants"]]


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Say the rest in words."""
    for tenant in found["tenants"]:
        if tenant["throttled"] or tenant["repeated"]:
            told = f"{tenant['throttled']} throttled, {tenant['repeated']} sent again"
            yield f"{tenant['tenant']}: of the requests to Graph in the last hour {told}"
    firing = ", ".join(f"{number} {severity}" for severity, number in found["firing"].items())
    yield f"firing: {firing or 'nothing'}"
    yield f"conversations acknowledged: {found['acknowledged']}, silences in force: {found['silences']}"
    yield f"deliveries under way: {found['deliveries_open']}"
    for integration, number in found["deliveries_failed"].items():
        yield f"given up at {integration} since it last accepted anything: {number}"
