"""The latest look at a job, up to a moment: what was read, when, and what the rules were shown then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from alertd.alerts.replaying import advanced
from alertd.alerts.sighting import Sighting, Watched
from alertd.alerts.tally import closed_round, tally_of
from alertd.chronicle import Chosen
from alertd.model.change import Change
from alertd.model.resources import ServicePrincipal
from alertd.model.views import Subject
from alertd.store.port import Reader
from alertd.store.values import HistoryEntry, JobRecord, PrincipalRecord, RoundEntry, TenantRecord


@attrs.frozen(kw_only=True)
class Reading:
    """How the readings of the job's service principal go: `outcome` since `since`; empty and null before the first."""

    outcome: str = ""
    since: datetime | None = None

    @property
    def frozen(self) -> bool:
        """Whether nothing is evaluated, since nothing is read."""
        return self.outcome not in {"ok", ""}


@attrs.frozen(kw_only=True)
class Look:
    """One job as the rules saw it last.

    at: when that was. subject: for states. changed_at, event_subject, changes: at the last change, for events. gone: the job has vanished;
    then there are no states any more. closed: the tenant as its own rules saw it at the end of the latest round.
    """

    at: datetime
    subject: Subject
    changed_at: datetime
    event_subject: Subject
    changes: tuple[Change, ...]
    gone: bool
    reading: Reading
    principal: PrincipalRecord
    record: JobRecord
    closed: TenantRecord


@attrs.frozen(kw_only=True)
class _Step:
    """One entry of a job's history with the records on its two sides; `before` is null at first sight."""

    entry: HistoryEntry
    before: JobRecord | None
    record: JobRecord
    changes: tuple[Change, ...]


async def look_at(reader: Reader, watched: Watched, chosen: Chosen, until: datetime) -> Look | None:
    """Give the latest look at a job at or before a moment; None where it had not been seen yet."""
    rounds = [closed for closed in await reader.rounds(watched.key) if closed.at <= until]
    reading = await _reading(reader, chosen, until)
    seen_until = reading.since if reading.frozen and reading.since else until
    steps = await _steps(reader, chosen, until)
    if not steps:
        return None
    tenant = await reader.tenant(watched.key) or TenantRecord(key=watched.key, name=watched.name)
    looked = [closed for closed in rounds if closed.at < seen_until or not reading.frozen]
    at, aged = _instant(steps[-1].entry, [closed.at for closed in looked])
    principal, last = await _principal(reader, chosen), steps[-1]
    gone, changed_at = last.entry.gone, last.entry.at
    change = _sighting(watched, tenant, rounds, changed_at).subject(
        principal, last.record, before=last.before, listed=not gone, gone=gone, appeared=last.before is None
    )
    now = _sighting(watched, tenant, rounds, at)
    return Look(
        at=at,
        subject=now.subject(principal, last.record, before=last.record) if aged else change,
        changed_at=changed_at,
        event_subject=change,
        changes=last.changes,
        gone=gone,
        reading=reading,
        principal=principal,
        record=last.record,
        closed=_folded(tenant, rounds),
    )


def _sighting(watched: Watched, tenant: TenantRecord, rounds: Iterable[RoundEntry], at: datetime) -> Sighting:
    """Rules of jobs see their tenant as the round before has left it."""
    return Sighting(watched=watched, tenant=_folded(tenant, (closed for closed in rounds if closed.at < at)), now=at)


def _instant(entry: HistoryEntry, rounds: Sequence[datetime]) -> tuple[datetime, bool]:
    """Say when a job was last looked at, and whether only time had passed then since the look before."""
    if not rounds or entry.gone or entry.at >= rounds[-1]:
        return entry.at, False
    opened = rounds[-2] if len(rounds) > 1 else None  # what was read since belongs to the last round
    return (rounds[-1], True) if opened is not None and entry.at <= opened else (entry.at, False)


async def _reading(reader: Reader, chosen: Chosen, until: datetime) -> Reading:
    changes = [
        change
        for change in await reader.reading_changes(chosen.tenant_key)
        if change.service_principal_id == chosen.service_principal_id and change.at <= until
    ]
    return Reading(outcome=changes[-1].outcome, since=changes[-1].at) if changes else Reading()


async def _steps(reader: Reader, chosen: Chosen, until: datetime) -> list[_Step]:
    """Give the last step of a job's history, in a list that is empty where there is none."""
    known: JobRecord | None = None
    last: _Step | None = None
    async for entry in reader.history(tenant_key=chosen.tenant_key, job_id=chosen.job_id):
        if entry.service_principal_id != chosen.service_principal_id:
            continue
        if entry.at > until:
            break
        before = known
        if entry.gone:
            last = None if before is None else _Step(entry=entry, before=before, record=before, changes=())
            known = None
        else:
            known, changes = advanced(before, entry)
            last = None if known is None else _Step(entry=entry, before=before, record=known, changes=changes)
    return [last] if last else []


async def _principal(reader: Reader, chosen: Chosen) -> PrincipalRecord:
    """Give the principal as one that answers: at the look that is explained it did."""
    for record in await reader.principals(chosen.tenant_key):
        if record.principal.id == chosen.service_principal_id:
            return attrs.evolve(record, outcome="ok", last_ok_at=record.outcome_since or record.last_ok_at)
    return PrincipalRecord(
        tenant_key=chosen.tenant_key, principal=ServicePrincipal(id=chosen.service_principal_id), outcome="ok"
    )


def _folded(tenant: TenantRecord, rounds: Iterable[RoundEntry]) -> TenantRecord:
    """Give the tenant after some rounds; how its credential stands is not kept, so that is as now."""
    record = TenantRecord(key=tenant.key, name=tenant.name, credentialExpiresAt=tenant.credentialExpiresAt)
    for closed in rounds:
        record = closed_round(record, tally_of(closed), closed.at)
    return record
