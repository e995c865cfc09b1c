"""Digests: gathered from the store portion by portion, and put into the outbox when they are due.

When the next one is due stands in the store. One that fell due while nobody ran is sent once at the next start, however many it would have
been; sending is a compare-and-set on the digest's sequence number, so neither a restart nor a reload nor a second process sends it twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from itertools import islice

import attrs
import structlog

from alertd.alerts.sighting import Watched
from alertd.engine.cron import next_instant
from alertd.errors import FencedError
from alertd.model.digest import Digest, DigestSchedule
from alertd.model.notification import DeliveryState, Notification, Reason
from alertd.notify.channels.port import Channel
from alertd.notify.digest import of_alerts, of_deliveries, of_jobs, of_tenant
from alertd.notify.outcome import DeliveryPolicy
from alertd.render.frames import DIGEST_KINDS
from alertd.store.port import Reader, Store, Transaction
from alertd.store.values import Delivery, DigestRecord, LogEntry, PrincipalRecord

log = structlog.get_logger(__name__)

GROUP = "digest"  # where the log and messages of groups name theirs
PRINCIPALS_AT_ONCE = 100  # of a tenant of a million jobs no more than their jobs are in memory
FAILED_MAX = 1_000  # given-up deliveries looked at: each holds its message


@attrs.frozen(kw_only=True)
class DigestPlan:
    """What digests are made of, as configured. channels: by integration id, in order."""

    schedules: tuple[DigestSchedule, ...] = ()
    watched: tuple[Watched, ...] = ()
    channels: Mapping[str, Channel] = attrs.field(factory=dict)
    policy: DeliveryPolicy = attrs.field(factory=DeliveryPolicy)
    external_url: str | None = None

    def channels_of(self, receiver: str) -> tuple[Channel, ...]:
        """Give the channels of a receiver that can show a digest."""
        return tuple(
            channel
            for channel in self.channels.values()
            if channel.integration.receiver == receiver and channel.integration.kind in DIGEST_KINDS
        )


class Digesting:
    """Sends digests. It reads no clock."""

    def __init__(self, store: Store, plan: DigestPlan) -> None:
        self._store = store
        self.plan = plan

    async def arrange(self, now: datetime) -> None:
        """Bring what stands in the store under the plan in force: digests that are new get their first instant, others are forgotten."""
        wanted = {schedule.key: schedule for schedule in self.plan.schedules}
        async with self._store.transaction() as transaction:
            known = {record.key for record in await transaction.digests()}
            for key in known - wanted.keys():
                await transaction.delete_digest(key)
            for key in wanted.keys() - known:
                schedule = wanted[key]
                due = next_instant(schedule.cron, schedule.timezone, now)
                await transaction.save_digest(DigestRecord(key=key, since=now, due_at=due))

    async def next_due(self) -> datetime | None:
        """Give the instant of the next digest."""
        async with self._store.reading() as reader:
            records = await reader.digests()
        wanted = {schedule.key for schedule in self.plan.schedules}
        return min((record.due_at for record in records if record.due_at and record.key in wanted), default=None)

    async def send_due(self, now: datetime) -> int:
        """Put every digest that is due into the outbox; give how many."""
        async with self._store.reading() as reader:
            records = {record.key: record for record in await reader.digests()}
        sent = 0
        for schedule in self.plan.schedules:
            record = records.get(schedule.key)
            if record is not None and record.due_at is not None and record.due_at <= now:
                sent += await self._send(schedule, record, now)
        return sent

    async def _send(self, schedule: DigestSchedule, record: DigestRecord, now: datetime) -> int:
        digest = await gather(self._store, self.plan.watched, since=record.since, now=now)
        sequence = record.sequence + 1
        after = DigestRecord(
            key=record.key,
            sequence=sequence,
            since=now,
            due_at=next_instant(schedule.cron, schedule.timezone, now),
        )
        deliveries = [self._delivery(channel, schedule, digest, sequence, now) for channel in self._channels(schedule)]
        try:
            async with self._store.transaction() as transaction:
                await transaction.save_digest(after, expected_sequence=record.sequence)
                for delivery in deliveries:
                    await _put(transaction, delivery, now)
        except FencedError:
            log.info("digest.fenced", receiver=schedule.receiver)
            return 0
        log.info("digest.decided", receiver=schedule.receiver, jobs=digest.jobs, well=digest.well)
        return 1

    def _channels(self, schedule: DigestSchedule) -> tuple[Channel, ...]:
        return self.plan.channels_of(schedule.receiver)

    def _delivery(
        self, channel: Channel, schedule: DigestSchedule, digest: Digest, sequence: int, now: datetime
    ) -> Delivery:
        conversation = _conversation(schedule, channel)
        key = f"{conversation}-{sequence}"
        told = message(
            channel.integration.receiver, digest, now, key=key, sequence=sequence, url=self.plan.external_url
        )
        rendered = channel.render(told)
        repeat = None if channel.integration.deduplicates else channel.render(attrs.evolve(told, repeated=True))
        return Delivery(
            id=key,
            conversation_id=conversation,
            group_key=GROUP,
            integration_id=channel.integration.id,
            receiver=channel.integration.receiver,
            sequence=sequence,
            reason=Reason.DIGEST,
            rendered=rendered,
            repeat_rendered=repeat,
            recipients=rendered.recipients,
            decided_at=now,
            due_at=now,
            retry_until=now + self.plan.policy.retry_for,
        )


def _conversation(schedule: DigestSchedule, channel: Channel) -> str:
    seed = f"{schedule.key}\0{channel.integration.id}"
    return f"digest-{hashlib.sha256(seed.encode()).hexdigest()[:16]}"


def message(
    receiver: str, digest: Digest, now: datetime, *, key: str, sequence: int = 1, url: str | None = None
) -> Notification:
    """Give the message of a digest; each is a conversation of its own, so that no thread hides it."""
    return Notification(
        key=key,
        conversation=key,
        sequence=sequence,
        reason=Reason.DIGEST,
        receiver=receiver,
        group_key=GROUP,
        group_labels={},
        at=now,
        external_url=url,
        digest=digest,
    )


async def _put(transaction: Transaction, delivery: Delivery, now: datetime) -> None:
    """Put it into the outbox; the one before, if nobody has got it yet, gives way to it."""
    before = await transaction.delivery(f"{delivery.conversation_id}-{delivery.sequence - 1}")
    if before is not None and before.state is DeliveryState.PENDING:
        await transaction.save_delivery(
            attrs.evolve(before, state=DeliveryState.SUPERSEDED, ended_at=now, leased_until=None)
        )
    await transaction.save_delivery(delivery)
    entry = LogEntry(
        at=now,
        group_key=GROUP,
        receiver=delivery.receiver,
        integration_id=delivery.integration_id,
        conversation_id=delivery.conversation_id,
        delivery_id=delivery.id,
        reason=Reason.DIGEST,
    )
    await transaction.append_log([entry])


async def gather(store: Store, tenants: Iterable[Watched], *, since: datetime | None, now: datetime) -> Digest:
    """Give the digest of these tenants as it is now; each is looked at in a view of its own, its jobs portion by portion."""
    async with store.reading() as reader:
        silences = await reader.silences(ending_after=now)
        total = of_alerts("", await reader.alerts(tenant_key=""), silences, now, since)
        failed = await reader.deliveries(states=[DeliveryState.FAILED], limit=FAILED_MAX)
        total += of_deliveries(failed, now, since)
    for watched in tenants:
        async with store.reading() as reader:
            alerts = await reader.alerts(tenant_key=watched.key)
            tenant = of_tenant(watched.name, await reader.tenant(watched.key), now, since)
            tenant += of_alerts(watched.name, alerts, silences, now, since)
            async for portion in _portions(reader, watched, since, now):
                tenant += portion
        total += tenant
    return total


async def _portions(reader: Reader, watched: Watched, since: datetime | None, now: datetime) -> AsyncIterator[Digest]:
    """Give a tenant's jobs, some principals' at a time."""
    waiting = iter([record for record in await reader.principals(watched.key) if record.has_jobs])
    while some := {record.principal.id: record for record in islice(waiting, PRINCIPALS_AT_ONCE)}:
        yield await _portion(reader, watched, some, since, now)


async def _portion(
    reader: Reader, watched: Watched, principals: Mapping[str, PrincipalRecord], since: datetime | None, now: datetime
) -> Digest:
    jobs = await reader.jobs(watched.key, list(principals))
    changed = {job.service_principal_id for job in jobs if since is not None and job.changed_at > since}
    found = await reader.snapshots_before(watched.key, changed, since) if since is not None and changed else ()
    before = {(entry.service_principal_id, entry.job_id): entry.full for entry in found if entry.full is not None}
    return of_jobs(watched, jobs, principals, before, now, since)
