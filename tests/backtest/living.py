"""A daemon's work without a daemon: rounds, flushes and deliveries over a store, so that there is a past to play again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import attrs

from alertd.alerts.sighting import Watched
from alertd.engine.delivering import Delivering
from alertd.engine.flushing import Flushing
from alertd.engine.rounds import Found, Rounds
from alertd.model.document import Document
from alertd.model.reading import Reading
from alertd.model.resources import ServicePrincipal
from alertd.notify.channels.port import Channel
from alertd.rehearsal.course import Heard, heard
from alertd.rehearsal.receivers import Receivers, RehearsedChannel
from alertd.rehearsal.setting import Setting
from alertd.rules.loader import read_rules
from alertd.store.port import Store

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)
WATCHED = Watched(key="global/1111", name="contoso", tenant_id="1111")


def setting_of(text: str) -> Setting:
    """Give the setting of some rules, told at once to one receiver."""
    document = Document.parse(text)
    rules = read_rules(document)
    document.check()
    return Setting.of(rules, None)


@attrs.define(slots=False)
class Live:
    """One daemon's rounds over a store, as it was while they happened."""

    store: Store
    setting: Setting
    principals: Sequence[str]
    step: timedelta = STEP
    _receivers: Receivers = attrs.field(factory=lambda: Receivers((), START))

    async def run(self, rounds: Sequence[Mapping[str, Reading]]) -> tuple[Heard, ...]:
        """Go through rounds; give what was told."""
        known = Rounds(self.store, self.setting.book(), self.setting.routing)
        integrations = [one for receiver in self.setting.routing.receivers.values() for one in receiver]
        channels: dict[str, Channel] = {one.id: RehearsedChannel(one, self._receivers) for one in integrations}
        self._flushing = Flushing(self.store, self.setting.routing, channels, self.setting.policy)
        self._delivering = Delivering(self.store, self._flushing, channels, self.setting.policy, chance=lambda: 0.0)
        tenant = await known.begin(WATCHED)
        found = [
            Found(principal=ServicePrincipal(id=key, displayName=key.title()), watched=True) for key in self.principals
        ]
        await known.discovered(WATCHED, tenant, found, complete=True, now=START)
        for number, readings in enumerate(rounds):
            now = START + number * self.step
            await self._pass_time(now)
            tenant = await known.begin(WATCHED)
            tenant, tally = await known.commit(WATCHED, tenant, readings, now)
            await known.close(WATCHED, tenant, tally, now)
            await self._work(now)
        return heard(self._receivers.attempts, START)

    async def _pass_time(self, until: datetime) -> None:
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
                await self._delivering.finish(taken.id, await self._delivering.send(taken, now), now)
        return len(due)
