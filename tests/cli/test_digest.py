"""`alertd digest`: what the digest would say now; the store stays as it is."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alertd.model.facts import step
from alertd.model.resources import (
    ServicePrincipal,
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationStatus,
)
from alertd.store.sql import SqlStore
from alertd.store.values import DigestRecord, JobRecord, PrincipalRecord, TenantRecord

TENANT = "11111111-1111-1111-1111-111111111111"
BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
CONFIG = f"""
tenants: [{{name: contoso, tenant_id: {TENANT}, client_id: {TENANT}, credential: {{client_secret: '${{NOT_SET}}'}}}}]
receivers: [{{name: oncall, webhook: [{{url: '${{NOT_SET}}'}}]}}, {{name: managers, webhook: [{{url: '${{NOT_SET}}'}}]}}]
route: {{receiver: oncall}}
digest: [{{receiver: managers, cron: "0 9 * * mon"}}]
"""


@pytest.fixture(autouse=True)
def _configuration(alertd: Any) -> None:
    Path("alertd.yaml").write_text(CONFIG, encoding="utf-8")


def polled(*, digest: DigestRecord | None = None) -> None:
    """Make a store in which a round has found a job in quarantine."""

    async def fill() -> None:
        store = await SqlStore.open(Path("alertd.db"))
        status = SynchronizationStatus(code="Quarantine", quarantine=SynchronizationQuarantine(seriesBegan=BEGAN))
        job = SynchronizationJob(id="SF.1", status=status)
        key = f"global/{TENANT}"
        principal = PrincipalRecord(
            tenant_key=key, principal=ServicePrincipal(id="sp", displayName="Salesforce"), has_jobs=True
        )
        record = JobRecord(
            tenant_key=key,
            service_principal_id="sp",
            job=job,
            facts=step(None, None, job, BEGAN),
            first_seen_at=BEGAN,
            changed_at=BEGAN,
        )
        async with store.transaction() as transaction:
            await transaction.save_tenant(TenantRecord(key=key, name="contoso", rounds=1, lastPollAt=BEGAN))
            await transaction.save_principals([principal])
            await transaction.save_jobs([record])
            if digest is not None:
                await transaction.save_digest(digest)
        await store.close()

    asyncio.run(fill())


def test_text_for_people(alertd: Any) -> None:
    polled()

    outcome = alertd("digest")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Digest: 1 of 1 job in quarantine\n")
    assert "- Salesforce (contoso): since 2026-01-05 09:00 UTC" in outcome.out
    assert "disabled" in outcome.out
    assert "Receiver managers" in outcome.out


def test_json_for_programs(alertd: Any) -> None:
    """It compares with the digest before, and leaves that as it is."""
    record = DigestRecord(key="managers: 0 9 * * mon UTC", sequence=4, since=BEGAN, due_at=BEGAN + timedelta(days=7))
    polled(digest=record)

    first, second = (json.loads(alertd("digest", "--json").out) for _ in range(2))

    assert (first["since"], second["since"]) == ("2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z")
    assert (first["jobs"], first["states"], first["quarantined_total"]) == (1, {"Quarantine": 1}, 1)
    assert first["quarantined"][0]["disable_at"] == "2026-02-02T09:00:00Z"


def test_a_receiver_without_a_digest_sees_the_last_week(alertd: Any) -> None:
    polled()

    told = json.loads(alertd("digest", "--json", "--receiver", "oncall").out)

    week = datetime.fromisoformat(told["at"]) - datetime.fromisoformat(told["since"])
    assert week == timedelta(days=7)


def test_an_unknown_receiver(alertd: Any) -> None:
    outcome = alertd("digest", "--receiver", "mangers")

    assert outcome.code == 2
    assert "did you mean `managers`?" in outcome.err


def test_nothing_polled_yet(alertd: Any) -> None:
    outcome = alertd("digest")

    assert (outcome.code, outcome.out) == (1, "")
    assert "alertd poll" in outcome.err
