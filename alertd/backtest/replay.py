"""The replay: every job at every round as history has it, put before each set of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from alertd.backtest.past import Chronology, Moment, TenantPast
from alertd.backtest.tenant_replay import Figures, TenantReplay
from alertd.backtest.world import World

Progress = Callable[[int, int], None]  # rounds done, rounds in all

_PROGRESS_EVERY = 50  # rounds


class Replay:
    """Plays moments to worlds, in their order. start: history before it is only remembered."""

    def __init__(
        self, pasts: Sequence[TenantPast], worlds: Sequence[World], start: datetime, *, every_round: bool = False
    ) -> None:
        self._worlds = worlds
        self._start = start
        self.figures = Figures()
        self._tenants = {past.watched.key: TenantReplay(past, worlds, self.figures, every_round) for past in pasts}
        self._rounds = sum(len(past.rounds) for past in pasts)

    async def run(self, chronology: Chronology, end: datetime, progress: Progress = lambda _done, _all: None) -> None:
        """Play all moments up to an end, and what is due until then."""
        done = 0
        async for moment in chronology.moments():
            if moment.at > end:
                break
            await self._play(moment, chronology)
            done += len(moment.rounds)
            if done % _PROGRESS_EVERY < len(moment.rounds):
                progress(done, self._rounds)
        for world in self._worlds:
            await world.pass_time(end)
        progress(self._rounds, self._rounds)

    async def _play(self, moment: Moment, chronology: Chronology) -> None:
        counted = moment.at >= self._start
        if counted:
            for world in self._worlds:
                await world.pass_time(moment.at)
        for tenant, part in self._parts(moment):
            if counted:
                await tenant.play(part, chronology.missing)
            else:
                tenant.remember(part, chronology.missing)
        if counted:
            for world in self._worlds:
                await world.commit(moment.at)

    def _parts(self, moment: Moment) -> Iterator[tuple[TenantReplay, Moment]]:
        """Split a moment by tenant; nearly every one is of one tenant alone."""
        keys = dict.fromkeys(entry.key[0] for entry in moment.entries)
        keys |= dict.fromkeys(one.tenant_key for one in moment.outcomes)
        keys |= dict.fromkeys(closed.tenant_key for closed in moment.rounds)
        for key in keys:
            if len(keys) == 1:
                yield self._tenants[key], moment
                return
            yield (
                self._tenants[key],
                Moment(
                    at=moment.at,
                    entries=tuple(one for one in moment.entries if one.key[0] == key),
                    outcomes=tuple(one for one in moment.outcomes if one.tenant_key == key),
                    rounds=tuple(one for one in moment.rounds if one.tenant_key == key),
                ),
            )
