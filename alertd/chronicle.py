"""What happened, in order of time: snapshots that changed, alerts that moved, decisions that were taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import attrs

from alertd.config import Config
from alertd.errors import UsageError
from alertd.model.suggestion import did_you_mean
from alertd.store.port import Reader
from alertd.store.values import HistoryEntry, LogEntry, TransitionEntry


@attrs.frozen
class Chosen:
    """One job: its tenant's key, its principal's id, its own id."""

    tenant_key: str
    service_principal_id: str
    job_id: str


async def chronicle(reader: Reader, config: Config, job: str | None, since: datetime) -> list[dict[str, Any]]:
    """Give rows with at, what, about and detail, oldest first; raises UsageError for a job that nobody knows."""
    chosen = await find_job(reader, config, job) if job is not None else None
    rows = [row async for row in _snapshots(reader, chosen, since)]
    transitions = [entry for entry in await reader.transitions(since=since) if _concerns(entry, chosen)]
    rows += [_transition(entry) for entry in transitions]
    about = {entry.fingerprint for entry in await reader.transitions() if chosen and _concerns(entry, chosen)}
    rows += [_decision(entry) for entry in await reader.log(since=since) if not chosen or about & set(entry.alerts)]
    return sorted(rows, key=lambda row: row["at"])


async def find_job(reader: Reader, config: Config, text: str) -> Chosen:
    """Find a job by ``tenant/displayName/job id``, split at the first and the last slash; raises UsageError."""
    tenant, _, rest = text.partition("/")
    name, _, job_id = rest.rpartition("/")
    keys = {one.name: one.key for one in await reader.tenants()} | {one.name: one.key for one in config.tenants}
    if not name or not job_id:
        raise UsageError(f"{text!r} is no job: expected tenant/displayName/job id, such as contoso/Salesforce/SF.1")
    if tenant not in keys:
        raise UsageError(f"no tenant {tenant!r}; {did_you_mean(tenant, keys) or 'none is known'}")
    principals = {one.principal.id: one.principal.displayName for one in await reader.principals(keys[tenant])}
    known = [(one.service_principal_id, one.job.id) for one in await reader.jobs(keys[tenant])]
    found = [(principal, job) for principal, job in known if job == job_id and principals.get(principal) == name]
    found = found or await _gone(
        reader, keys[tenant], job_id, [key for key, named in principals.items() if named == name]
    )
    if found:
        return Chosen(keys[tenant], *found[0])
    names = [f"{tenant}/{principals.get(principal)}/{job}" for principal, job in known]
    raise UsageError(f"no job {text!r}; {did_you_mean(text, names) or 'none of this tenant is known yet'}")


async def _gone(reader: Reader, tenant_key: str, job_id: str, principal_ids: Collection[str]) -> list[tuple[str, str]]:
    """Find a job that is not there any more: its history is."""
    if principal_ids:
        async for entry in reader.history(tenant_key=tenant_key, job_id=job_id):
            if entry.service_principal_id in principal_ids:
                return [(entry.service_principal_id, job_id)]
    return []


async def _snapshots(reader: Reader, chosen: Chosen | None, since: datetime) -> Any:  # noqa: ANN401 - an iterator
    tenant_key, job_id = (chosen.tenant_key, chosen.job_id) if chosen else (None, None)
    async for entry in reader.history(tenant_key=tenant_key, job_id=job_id, since=since):
        if chosen is None or entry.service_principal_id == chosen.service_principal_id:
            for row in _snapshot(entry):
                yield row


def _snapshot(entry: HistoryEntry) -> Iterator[dict[str, Any]]:
    if entry.gone:
        yield _row(entry.at, "gone", entry.job_id, "")
    elif entry.full is not None:
        code = entry.full.status.code if entry.full.status else None
        yield _row(entry.at, "snapshot", entry.job_id, f"status.code {code}")
    for change in entry.changes:
        yield _row(entry.at, "changed", entry.job_id, f"{change.path}: {change.before} -> {change.after}")


def _transition(entry: TransitionEntry) -> dict[str, Any]:
    how = f" ({entry.detail})" if entry.detail else ""
    return _row(entry.at, "alert", f"{entry.rule} {entry.job_id}".strip(), f"{entry.before} -> {entry.after}{how}")


def _decision(entry: LogEntry) -> dict[str, Any]:
    what = "told" if entry.reason else "withheld"
    return _row(entry.at, what, entry.integration_id or entry.group_key, str(entry.reason or entry.withheld))


def _row(at: datetime, what: str, about: str, detail: str) -> dict[str, Any]:
    return {"at": at, "what": what, "about": about, "detail": detail}


def _concerns(entry: TransitionEntry, chosen: Chosen | None) -> bool:
    return chosen is None or Chosen(entry.tenant_key, entry.service_principal_id, entry.job_id) == chosen
