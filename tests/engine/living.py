"""Rounds, flushes and deliveries of one process over a store in memory, and answers for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from alertd.alerts.sighting import Watched
from alertd.alerts.tally import Tally
from alertd.engine.delivering import Delivering
from alertd.engine.flushing import Flushing
from alertd.engine.rounds import Found, Rounds
from alertd.model.document import Document
from alertd.model.reading import Ok, Reading, Unchanged
from alertd.model.resources import ServicePrincipal, SynchronizationJob
from alertd.notify.channels.port import Channel
from alertd.rehearsal.receivers import Receivers, RehearsedChannel
from alertd.rehearsal.setting import Setting
from alertd.rules.loader import read_rules
from alertd.store.memory import MemoryStore
from alertd.store.port import Store
from alertd.store.values import LogEntry, TransitionEntry

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WATCHED = Watched(key="global/1111", name="contoso", tenant_id="1111")


def setting_of(text: str, names: Iterable[str] = ()) -> Setting:
    """Give the setting of some rules, or of those of them that are named, told at once to one receiver."""
    document = Document.parse(text)
    rules = read_rules(document)
    document.check()
    chosen = set(names) or {rule.name for rule in rules}
    return Setting.of([rule for rule in rules if rule.name in chosen], None)


def answer(*jobs: SynchronizationJob, unreadable: Sequence[tuple[str, str]] = ()) -> Ok:
    """Give a full answer, with the digest that the wire would have."""
    return Ok(jobs=jobs, unreadable=tuple(unreadable), digest=hash(repr((jobs, unreadable))))


class Living:
    """One process. forgetful: it remembers nothing from one round to the next, as if it had been started anew."""

    def __init__(
        self, setting: Setting, principals: Sequence[str], *, store: Store | None = None, forgetful: bool = False
    ) -> None:
        self.store = store or MemoryStore()
        self.receivers = Receivers((), START)
        self._setting, self._book, self._forgetful = setting, setting.book(), forgetful
        self._principals = principals
        integrations = [one for receiver in setting.routing.receivers.values() for one in receiver]
        channels: dict[str, Channel] = {one.id: RehearsedChannel(one, self.receivers) for one in integrations}
        self._flushing = Flushing(self.store, setting.routing, channels, setting.policy)
        self._delivering = Delivering(self.store, self._flushing, channels, setting.policy, chance=lambda: 0.0)
        self.rounds = self._started()

    def _started(self) -> Rounds:
        return Rounds(self.store, self._book, self._setting.routing)

    async def discover(self, now: datetime = START, names: Mapping[str, str] | None = None) -> None:
        """List all service principals."""
        tenant = await self.rounds.begin(WATCHED)
        named = {key: key.title() for key in self._principals} | dict(names or {})
        found = [
            Found(principal=ServicePrincipal(id=key, displayName=name), watched=True) for key, name in named.items()
        ]
        await self.rounds.discovered(WATCHED, tenant, found, complete=True, now=now)

    async def round(self, readings: Mapping[str, Reading], now: datetime) -> Tally:
        """Read, judge, tell. What answers as before is `Unchanged`, as Graph's adapter would say."""
        if self._forgetful:
            self.rounds = self._started()
        await self.pass_time(now)
        tenant = await self.rounds.begin(WATCHED)
        digest = self.rounds.digests(WATCHED, tenant)
        given = {key: _seen(reading, digest(key)) for key, reading in readings.items()}
        tenant, tally = await self.rounds.commit(WATCHED, tenant, given, now)
        await self.rounds.close(WATCHED, tenant, tally, now)
        await self._work(now)
        return tally

    async def pass_time(self, until: datetime) -> None:
        """Flush and deliver what is due before an instant."""
        while True:
            due = [await self._flushing.next_due(), await self._delivering.next_due()]
            first = min((at for at in due if at is not None), default=until)
            if first >= until:
                return
            await self._work(first)

    async def _work(self, now: datetime) -> None:
        while await self._flushing.flush_due(now) + await self._deliver(now):
            pass

    async def _deliver(self, now: datetime) -> int:
        due = await self._delivering.due(now, 1000)
        for one in due:
            taken = await self._delivering.claim(one.delivery_id, now)
            if taken is not None:
                await self._delivering.finish(one.delivery_id, await self._delivering.send(taken, now), now)
        return len(due)

    async def remembered(self) -> set[str]:
        """Give the service principals whose same answer would not be read again."""
        tenant = await self.rounds.begin(WATCHED)
        digest = self.rounds.digests(WATCHED, tenant)
        return {key for key in self._principals if digest(key) is not None}

    async def line(self) -> tuple[Sequence[str], Sequence[str]]:
        """Give whom every round asks, as this process knows it and as the store does."""
        tenant = await self.rounds.begin(WATCHED)
        return (
            await self.rounds.in_line(WATCHED, tenant, everyone=False),
            await self._started().in_line(WATCHED, tenant, everyone=False),
        )

    async def everything(self) -> dict[str, Any]:
        """Give all that stands in the store but the tenant's epoch, and all that was said."""
        async with self.store.reading() as reader:
            tenant = await reader.tenant(WATCHED.key)
            assert tenant is not None
            return {
                "tenant": attrs.evolve(tenant, epoch=0),
                "principals": await reader.principals(WATCHED.key),
                "jobs": await reader.jobs(WATCHED.key),
                "alerts": await reader.alerts(),
                "history": [entry async for entry in reader.history()],
                "readings": await reader.reading_changes(WATCHED.key),
                "transitions": sorted(await reader.transitions(), key=_place),
                "rounds": await reader.rounds(WATCHED.key),
                "log": sorted(await reader.log(), key=_place),
                "said": [(attempt.at, attempt.receiver, attempt.notification) for attempt in self.receivers.attempts],
            }


def _seen(reading: Reading, known: int | None) -> Reading:
    if isinstance(reading, Ok) and reading.digest is not None and reading.digest == known:
        return Unchanged()
    return reading


def _place(entry: TransitionEntry | LogEntry) -> tuple[datetime, str]:
    """Order what happened at one instant by what it is: jobs of one answer have no order of their own."""
    return entry.at, repr(entry)
