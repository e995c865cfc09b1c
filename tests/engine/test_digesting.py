"""Digests under a virtual clock over a real SQLite file: when they are due, who gets them, and that nobody gets one twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from alertd.alerts.sighting import Watched
from alertd.diff import diff
from alertd.engine.delivering import Delivering
from alertd.engine.digesting import PRINCIPALS_AT_ONCE, Digesting, DigestPlan, gather
from alertd.engine.flushing import Flushing
from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.cron import parse_cron
from alertd.model.digest import DigestSchedule
from alertd.model.facts import step
from alertd.model.notification import DeliveryState, Notification, Reason, Rendered
from alertd.model.resources import (
    ServicePrincipal,
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.notify.channels.port import Accepted, Integration, Limits
from alertd.notify.channels.teams import FORM as TEAMS
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.render.environment import Templates
from alertd.render.message import render
from alertd.store.port import Store
from alertd.store.sql import SqlStore
from alertd.store.values import HistoryEntry, JobRecord, PrincipalRecord, TenantRecord

pytestmark = pytest.mark.anyio

MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)  # nine in Berlin
WEEK = timedelta(days=7)
BERLIN = ZoneInfo("Europe/Berlin")
CONTOSO = Watched(key="global/contoso", name="contoso", tenant_id="contoso")


@attrs.define
class Desk:
    """A channel that keeps what it is told; `down` makes it refuse."""

    integration: Integration
    told: list[Notification] = attrs.field(factory=list)
    accepted: list[str] = attrs.field(factory=list)
    down: bool = False

    def render(self, notification: Notification) -> Rendered:
        if not notification.repeated:
            self.told.append(notification)
        return Rendered(body=notification.key.encode(), content_type="text/plain")

    async def send(self, rendered: Rendered, *, key: str, **_: Any) -> Accepted:
        if self.down:
            raise DeliveryError(DeliveryFailureReason.SERVER_ERROR, "503", retriable=True)
        self.accepted.append(key)
        return Accepted()

    async def check(self) -> Accepted:
        return Accepted()

    async def close(self) -> None:
        """Nothing is open."""


def desk(kind: str = "teams", receiver: str = "oncall") -> Desk:
    limits = Limits(body_bytes_max=1000, blocks_max=0)
    return Desk(Integration(receiver=receiver, kind=kind, closes_silently=True, deduplicates=False, limits=limits))


def plan(
    *desks: Desk, cron: str = "0 9 * * mon", receiver: str = "oncall", watched: tuple[Watched, ...] = (CONTOSO,)
) -> DigestPlan:
    schedule = DigestSchedule(receiver=receiver, cron=parse_cron(cron), timezone=BERLIN)
    return DigestPlan(
        schedules=(schedule,),
        watched=watched,
        channels={one.integration.id: one for one in desks},
        policy=DeliveryPolicy(),
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await SqlStore.open(tmp_path / "alertd.db")
    yield opened
    await opened.close()


@pytest.fixture
async def arranged(store: Store) -> tuple[Digesting, Desk]:
    """Set up on a Monday at nine: the next digest is a week away."""
    channel = desk()
    digesting = Digesting(store, plan(channel))
    await digesting.arrange(MONDAY)
    return digesting, channel


def delivering(store: Store, *desks: Desk) -> Delivering:
    channels = {one.integration.id: one for one in desks}
    root = Route(id="{}", receiver="oncall", group_by=(), pace=Pace())
    flushing = Flushing(store, Routing(root=root, receivers={}), channels, DeliveryPolicy())
    return Delivering(store, flushing, channels, DeliveryPolicy(), chance=lambda: 0.0)


async def deliver(store: Store, now: datetime, *desks: Desk) -> None:
    loop = delivering(store, *desks)
    for due in await loop.due(now, 100):
        claimed = await loop.claim(due.delivery_id, now)
        assert claimed is not None
        await loop.finish(due.delivery_id, await loop.send(claimed, now), now)


async def states(store: Store) -> list[DeliveryState]:
    async with store.reading() as reader:
        return [delivery.state for delivery in await reader.deliveries()]


# When.


async def test_a_digest_comes_when_it_is_due_and_not_before(arranged: tuple[Digesting, Desk]) -> None:
    digesting, channel = arranged

    assert await digesting.next_due() == MONDAY + WEEK
    assert await digesting.send_due(MONDAY + WEEK - timedelta(seconds=1)) == 0
    assert await digesting.send_due(MONDAY + WEEK) == 1
    assert await digesting.send_due(MONDAY + WEEK) == 0
    assert await digesting.next_due() == MONDAY + 2 * WEEK
    (told,) = channel.told
    assert (told.reason, told.digest and told.digest.since) == (Reason.DIGEST, MONDAY)


async def test_what_fell_due_while_nobody_ran_is_sent_once(arranged: tuple[Digesting, Desk], store: Store) -> None:
    """Five weeks off: one digest over all of them, and the next at its usual time."""
    _, channel = arranged
    again = Digesting(store, plan(channel))
    back = MONDAY + 5 * WEEK + timedelta(hours=3)

    await again.arrange(back)
    sent = [await again.send_due(back), await again.send_due(back + timedelta(minutes=1))]

    assert sent == [1, 0]
    assert [one.digest and one.digest.since for one in channel.told] == [MONDAY]
    assert await again.next_due() == MONDAY + 6 * WEEK


async def test_restarts_and_reloads_send_none_twice_and_move_none(
    arranged: tuple[Digesting, Desk], store: Store
) -> None:
    digesting, channel = arranged
    await digesting.send_due(MONDAY + WEEK)

    for minute in range(3):
        again = Digesting(store, plan(channel))
        await again.arrange(MONDAY + WEEK + timedelta(minutes=minute))
        assert await again.send_due(MONDAY + WEEK + timedelta(minutes=minute)) == 0

    assert await digesting.next_due() == MONDAY + 2 * WEEK
    assert len(channel.told) == 1


async def test_two_that_try_at_once_send_one(arranged: tuple[Digesting, Desk], store: Store) -> None:
    """Both have read the store before either has written: the second is fenced off."""
    digesting, channel = arranged
    other = Digesting(store, plan(channel))

    sent = await asyncio.gather(digesting.send_due(MONDAY + WEEK), other.send_due(MONDAY + WEEK))

    assert sorted(sent) == [0, 1]
    assert len(await states(store)) == 1


async def test_what_is_scheduled_anew_does_not_come_at_once(arranged: tuple[Digesting, Desk], store: Store) -> None:
    """A digest taken out of the configuration and put back a month later: it was nobody's business in between."""
    _, channel = arranged
    await Digesting(store, attrs.evolve(plan(channel), schedules=())).arrange(MONDAY + timedelta(days=1))
    back = MONDAY + 4 * WEEK + timedelta(days=1)

    again = Digesting(store, plan(channel))
    await again.arrange(back)

    assert await again.send_due(back) == 0
    assert await again.next_due() == MONDAY + 5 * WEEK


async def test_summer_time_does_not_move_the_wall_clock(store: Store) -> None:
    channel = desk()
    digesting = Digesting(store, plan(channel, cron="0 9 * * *"))
    saturday = datetime(2026, 3, 28, 12, tzinfo=UTC)

    await digesting.arrange(saturday)

    assert await digesting.next_due() == datetime(2026, 3, 29, 7, tzinfo=UTC)


# To whom.


async def test_one_to_each_integration_that_can_show_it(store: Store) -> None:
    """PagerDuty and Alertmanager are left out, and so is another receiver's channel."""
    kinds = ("teams", "email", "webhook", "slack", "google_chat", "discord", "apprise", "pagerduty", "alertmanager")
    desks = [desk(kind) for kind in kinds] + [desk("teams", "managers")]
    digesting = Digesting(store, plan(*desks))
    await digesting.arrange(MONDAY)

    await digesting.send_due(MONDAY + WEEK)
    await deliver(store, MONDAY + WEEK, *desks)

    assert [one.integration.kind for one in desks if one.accepted] == list(kinds[:7])
    assert [len(one.accepted) for one in desks if one.accepted] == [1] * 7
    async with store.reading() as reader:
        assert {entry.reason for entry in await reader.log()} == {Reason.DIGEST}


async def test_one_that_nobody_has_got_yet_gives_way_to_the_next(
    arranged: tuple[Digesting, Desk], store: Store
) -> None:
    digesting, channel = arranged
    channel.down = True
    await digesting.send_due(MONDAY + WEEK)
    await deliver(store, MONDAY + WEEK, channel)

    await digesting.send_due(MONDAY + 2 * WEEK)
    channel.down = False
    await deliver(store, MONDAY + 2 * WEEK, channel)

    assert await states(store) == [DeliveryState.DELIVERED, DeliveryState.SUPERSEDED]
    assert channel.accepted == [channel.told[-1].key]
    assert len({one.conversation for one in channel.told}) == 2, "each is a thread of its own"


# What it says.


def job(number: int, code: str = "Active", *, escrows: int = 0, tenant: str = CONTOSO.key) -> JobRecord:
    run = SynchronizationTaskExecution(activityIdentifier=f"r{escrows}", state="Succeeded", countEscrowed=escrows)
    quarantine = (
        SynchronizationQuarantine(seriesBegan=MONDAY - timedelta(hours=number)) if code == "Quarantine" else None
    )
    status = SynchronizationStatus(code=code, lastExecution=run, quarantine=quarantine)
    shown = SynchronizationJob(id=f"J.{number}", status=status)
    return JobRecord(
        tenant_key=tenant, service_principal_id=f"sp-{number}", job=shown, facts=step(None, None, shown, MONDAY),
        first_seen_at=MONDAY, changed_at=MONDAY,
    )  # fmt: skip


async def keep(store: Store, *jobs: JobRecord, tenant: Watched = CONTOSO) -> None:
    async with store.transaction() as transaction:
        await transaction.save_tenant(TenantRecord(key=tenant.key, name=tenant.name, rounds=1, lastPollAt=MONDAY))
        principals = {one.service_principal_id for one in jobs}
        await transaction.save_principals(
            PrincipalRecord(
                tenant_key=tenant.key, principal=ServicePrincipal(id=key, displayName=f"App {key}"), has_jobs=True
            )
            for key in principals
        )
        await transaction.save_jobs(jobs)
        await transaction.append_history(
            HistoryEntry(
                tenant_key=one.tenant_key, service_principal_id=one.service_principal_id, job_id=one.job.id,
                sequence=1, at=MONDAY, full=one.job, facts=one.facts,
            )
            for one in jobs
        )  # fmt: skip


async def change(store: Store, before: JobRecord, after: JobRecord, sequence: int, at: datetime) -> JobRecord:
    """Keep a change of a job, in the history too."""
    changed = attrs.evolve(after, sequence=sequence, changed_at=at)
    entry = HistoryEntry(
        tenant_key=after.tenant_key, service_principal_id=after.service_principal_id, job_id=after.job.id,
        sequence=sequence, at=at, changes=diff(before.job, after.job),
    )  # fmt: skip
    async with store.transaction() as transaction:
        await transaction.save_jobs([changed])
        await transaction.append_history([entry])
    return changed


async def test_errors_now_are_compared_with_those_at_the_digest_before(store: Store) -> None:
    """By the history: the single change of the week counts, and so does what had changed before it."""
    first = job(1, escrows=10)
    await keep(store, first, job(2, escrows=5), job(3, escrows=7))
    early = await change(store, first, job(1, escrows=40), 2, MONDAY + timedelta(hours=1))
    since = MONDAY + timedelta(days=1)
    await change(store, early, job(1, escrows=90), 3, since + timedelta(days=1))
    await change(store, job(3, escrows=7), job(3, escrows=2), 2, since + timedelta(days=2))

    digest = await gather(store, [CONTOSO], since=since, now=MONDAY + WEEK)

    assert [(one.job_id, one.before, one.now) for one in digest.trends] == [("J.1", 40, 90), ("J.3", 7, 2)]
    assert (digest.escrows_before, digest.escrows) == (40 + 5 + 7, 90 + 5 + 2)


async def test_a_tenant_s_jobs_are_read_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await keep(store, *(job(number) for number in range(3 * PRINCIPALS_AT_ONCE - 1)))
    asked: list[int] = []

    async with store.reading() as reader:
        original = type(reader).jobs

    async def counted(self: Any, tenant_key: str, principal_ids: Collection[str] | None = None) -> Any:
        asked.append(len(principal_ids) if principal_ids is not None else -1)
        return await original(self, tenant_key, principal_ids)

    monkeypatch.setattr(type(reader), "jobs", counted)
    digest = await gather(store, [CONTOSO], since=MONDAY, now=MONDAY)

    assert digest.jobs == 3 * PRINCIPALS_AT_ONCE - 1
    assert asked == [PRINCIPALS_AT_ONCE, PRINCIPALS_AT_ONCE, PRINCIPALS_AT_ONCE - 1]


async def test_ten_thousand_jobs_in_two_hundred_tenants_are_a_readable_card(store: Store) -> None:
    """The worst by name, the rest as counts, within what Teams takes."""
    tenants = [
        Watched(key=f"global/{number:03}", name=f"tenant-{number:03}", tenant_id=f"{number:03}")
        for number in range(200)
    ]
    for number, tenant in enumerate(tenants):
        codes = ["Quarantine" if (number * 50 + place) % 97 == 0 else "Active" for place in range(50)]
        await keep(store, *(job(place, code, tenant=tenant.key) for place, code in enumerate(codes)), tenant=tenant)
    channel = desk()
    digesting = Digesting(store, plan(channel, watched=tuple(tenants)))
    await digesting.arrange(MONDAY)
    await digesting.send_due(MONDAY + WEEK)

    rendered = render(channel.told[0], TEAMS, Templates.load())

    card = json.loads(rendered.body)["attachments"][0]["content"]
    texts = [run["text"] for block in card["body"] if block["type"] == "RichTextBlock" for run in block["inlines"]]
    digest = channel.told[0].digest
    assert digest is not None
    assert rendered.fallback == ""
    assert (digest.jobs, digest.tenants_total) == (10_000, 200)
    assert f"{digest.quarantined_total} of 10,000 jobs in quarantine" in card["body"][0]["items"][0]["text"]
    assert sum("App sp-" in text for text in texts) == 10
    assert f"+{digest.quarantined_total - 10} more" in rendered.body.decode()
    assert f"{digest.fine_total} tenants more with nothing to tell" in rendered.body.decode()
