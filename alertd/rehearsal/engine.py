"""The engine of a rehearsal: the daemon's own deciding parts over a store in memory, under a clock that jumps.

At one instant restarts come first, then the polls of all tenants, then flushes, then deliveries; what an accepted delivery gives occasion to is
flushed and delivered at the same instant. Then the clock jumps to the next instant at which something is due. Only polling, sending and the
clock are replaced: rounds, flushes and deliveries are the daemon's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from alertd.alerts.sighting import Watched
from alertd.engine.delivering import Delivering
from alertd.engine.flushing import Flushing
from alertd.engine.health import judge_alertd
from alertd.engine.rehoming import rehome
from alertd.engine.rounds import Found, Rounds
from alertd.model.alert import Scope
from alertd.notify.channels.port import Channel
from alertd.notify.silences import Silence
from alertd.rehearsal.clock import VirtualClock
from alertd.rehearsal.course import Course, Instant, heard, standing
from alertd.rehearsal.readings import TenantReadings, tenant_readings
from alertd.rehearsal.receivers import HANG, Receivers, RehearsedChannel
from alertd.rehearsal.script import Script
from alertd.rehearsal.setting import Setting
from alertd.store.memory import MemoryStore

_BATCH = 1000  # deliveries looked up at once


@attrs.frozen(kw_only=True)
class _Process:
    """Everything that dies with the process."""

    rounds: Rounds
    flushing: Flushing
    delivering: Delivering
    hanging: dict[str, tuple[datetime, str]]  # by delivery: when its attempt is given up, and the receiver


class Rehearsal:
    """One test being played."""

    def __init__(self, script: Script, setting: Setting) -> None:
        self._script = script
        self._setting = setting
        self._clock = VirtualClock(script.start)
        self._store = MemoryStore()
        self._receivers = Receivers(script.behaviours, script.start)
        self._book = setting.book(script.only)
        self._tenants: list[tuple[Watched, TenantReadings]] = [
            (setting.watched(name), tenant_readings(script, name)) for name in script.tenant_names
        ]
        self._restarts = sorted(set(script.restarts))
        self._step = 0
        self._instants: list[Instant] = []
        self._polled: dict[str, str] = {}
        self._process = self._start()

    async def play(self) -> Course:
        """Play the test to its end and give its course."""
        await self._silence()
        await self._discover()
        moment: timedelta | None = timedelta(0)
        while moment is not None and moment <= self._script.end:
            await self._at(moment)
            moment = await self._next()
        await self._store.close()
        return Course(
            instants=tuple(self._instants),
            heard=heard(self._receivers.attempts, self._script.start),
            end=self._script.end,
        )

    def _start(self) -> _Process:
        """Make everything that a process makes when it starts."""
        setting, store = self._setting, self._store
        integrations = [one for receiver in setting.routing.receivers.values() for one in receiver]
        channels: dict[str, Channel] = {one.id: RehearsedChannel(one, self._receivers) for one in integrations}
        flushing = Flushing(store, setting.routing, channels, setting.policy)
        return _Process(
            rounds=Rounds(store, self._book, setting.routing, tells_first_sight=setting.tells_first_sight),
            flushing=flushing,
            delivering=Delivering(store, flushing, channels, setting.policy, chance=lambda: 0.0),
            hanging={},
        )

    async def _silence(self) -> None:
        """Make the silences of the test, whenever they are to begin."""
        async with self._store.transaction() as transaction:
            for silence in _silences(self._script):
                await transaction.save_silence(silence)

    async def _discover(self) -> None:
        """List every service principal, before anything is read."""
        for watched, readings in self._tenants:
            tenant = await self._process.rounds.begin(watched)
            found = [Found(principal=one, watched=True) for one in readings.principals]
            await self._process.rounds.discovered(watched, tenant, found, complete=True, now=self._clock.now())

    # One instant.

    async def _at(self, moment: timedelta) -> None:
        self._clock.jump_to(self._script.start + moment)
        attempts = len(self._receivers.attempts)
        restarted = await self._restart(moment)
        polled = await self._poll(moment)
        while await self._flush() + await self._deliver():
            pass
        await self._note(Instant(at=moment, polled=polled, restarted=restarted), attempts)

    async def _restart(self, moment: timedelta) -> bool:
        """Die and come back, if that is due: what was being sent is unknown, and all else stands in the store."""
        if not self._restarts or self._restarts[0] > moment:
            return False
        self._restarts.pop(0)
        for delivery_id, (_, receiver) in self._process.hanging.items():
            self._receivers.no_answer(receiver, delivery_id, self._clock.now())
        self._process = self._start()
        await self._take_over()
        return True

    async def _take_over(self) -> None:
        """Do what the daemon does when it finds a store: end what is not watched any more, regroup, take lost attempts for unknown."""
        process, now = self._process, self._clock.now()
        await process.rounds.retire({watched.key for watched, _ in self._tenants}, now)
        async with self._store.transaction() as transaction:
            await rehome(transaction, process.flushing.routing, now)
        await process.delivering.recover(now, alone=True)

    async def _poll(self, moment: timedelta) -> tuple[tuple[str, str], ...]:
        """Poll all tenants, if a step is due; give what they answered other than before."""
        if moment != self._step * self._script.interval:
            return ()
        told: dict[str, str] = {}
        for watched, readings in self._tenants:
            await self._round(watched, readings)
            told |= {name or watched.name: said for name, said in readings.told_at(self._step)}
        if self._book.states(Scope.ALERTD) or self._book.events(Scope.ALERTD):
            await judge_alertd(self._store, self._process.rounds, self._clock.now())
        news = tuple((name, said) for name, said in told.items() if self._polled.get(name) != said)
        self._polled = told
        self._step += 1
        return news

    async def _round(self, watched: Watched, readings: TenantReadings) -> None:
        rounds, now = self._process.rounds, self._clock.now()
        tenant = await rounds.begin(watched)
        tenant, tally = await rounds.commit(watched, tenant, readings.at(self._step), now)
        await rounds.close(watched, tenant, tally, now)

    async def _flush(self) -> int:
        return await self._process.flushing.flush_due(self._clock.now())

    async def _deliver(self) -> int:
        """End the attempts that are given up now, and make those that are due; give how many."""
        now = self._clock.now()
        over = [key for key, (ends_at, _) in self._process.hanging.items() if ends_at <= now]
        for delivery_id in over:
            _, receiver = self._process.hanging.pop(delivery_id)
            error = self._receivers.no_answer(receiver, delivery_id, now)
            await self._process.delivering.finish(delivery_id, error, now)
        due = await self._process.delivering.due(now, _BATCH)
        for one in due:
            await self._attempt(one.delivery_id, now)
        return len(over) + len(due)

    async def _attempt(self, delivery_id: str, now: datetime) -> None:
        delivering = self._process.delivering
        delivery = await delivering.claim(delivery_id, now)
        if delivery is None:
            return
        if self._receivers.hangs(delivery.receiver, now):
            self._process.hanging[delivery_id] = (now + HANG, delivery.receiver)
            return
        result = await delivering.send(delivery, now)
        await delivering.finish(delivery_id, result, now)

    # From one instant to the next.

    async def _next(self) -> timedelta | None:
        """Give the next instant at which something is due."""
        start = self._script.start
        due = [await self._process.flushing.next_due(), await self._process.delivering.next_due()]
        due += [ends_at for ends_at, _ in self._process.hanging.values()]
        moments = [instant - start for instant in due if instant is not None]
        return min([*moments, *self._restarts[:1], self._step * self._script.interval])

    async def _note(self, instant: Instant, attempts: int) -> None:
        """Remember an instant at which something changed."""
        async with self._store.reading() as reader:
            alerts = standing(await reader.alerts())
        noted = attrs.evolve(instant, alerts=alerts, attempts=tuple(self._receivers.attempts[attempts:]))
        before = self._instants[-1].alerts if self._instants else ()
        if instant.polled or instant.restarted or noted.attempts or noted.alerts != before:
            self._instants.append(noted)


def _silences(script: Script) -> tuple[Silence, ...]:
    return tuple(
        Silence(
            id=f"silence-{number}",
            matchers=silence.matchers,
            starts_at=script.start + silence.span.starts,
            ends_at=script.start + silence.span.ends,
            created_by="the test",
            comment="as the test says",
        )
        for number, silence in enumerate(script.silences)
    )
