"""A backtest from its settings to its comparison."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from alertd.alerts.sighting import Watched
from alertd.backtest.comparison import Comparison, compared
from alertd.backtest.past import Chronology, TenantPast, read_past
from alertd.backtest.replay import Progress, Replay
from alertd.backtest.tenant_replay import Figures
from alertd.backtest.world import Outcome, World
from alertd.config import Config
from alertd.errors import UsageError
from alertd.garbage import seldom_collected
from alertd.graph.clouds import CLOUDS
from alertd.parts import watched_of
from alertd.rehearsal.setting import Setting
from alertd.store.port import Reader
from alertd.store.values import TenantRecord

_NEW_OBJECTS_MAX = 100_000  # some ten megabytes of what waits unread would be walked through by each search


@attrs.frozen(kw_only=True)
class Played:
    """What a replay came to, an outcome for each setting."""

    start: datetime
    end: datetime
    figures: Figures
    outcomes: tuple[Outcome, ...]


async def backtest(
    reader: Reader,
    config: Config,
    current: Setting,
    candidate: Setting,
    *,
    since: datetime,
    until: datetime,
    progress: Progress = lambda _done, _all: None,
) -> Comparison:
    """Play the history of a store under both settings; raises UsageError where there is none in that time."""
    tenants = await tenants_of(reader, config)
    played = await play(reader, tenants, (current, candidate), since=since, until=until, progress=progress)
    return compared(played.start, played.end, played.figures, *played.outcomes)


async def play(
    reader: Reader,
    tenants: Iterable[Watched],
    settings: Iterable[Setting],
    *,
    since: datetime,
    until: datetime,
    every_round: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Played:
    """Play history under several settings at once, so that it is read once."""
    pasts = await read_past(reader, tenants)
    start = _start(pasts, since, until)
    worlds = [World(setting, start) for setting in settings]
    replay = Replay(pasts, worlds, start, every_round=every_round)
    with seldom_collected(_NEW_OBJECTS_MAX):
        await replay.run(Chronology(pasts, reader.outlines()), until, progress)
    outcomes = tuple([await world.close() for world in worlds])
    return Played(start=start, end=until, figures=replay.figures, outcomes=outcomes)


def _start(pasts: Iterable[TenantPast], since: datetime, until: datetime) -> datetime:
    """Give the first round in that time: before it nothing was read."""
    rounds = [closed.at for past in pasts for closed in past.rounds if since <= closed.at <= until]
    if not rounds:
        raise UsageError(f"the store holds no round from {since:%Y-%m-%d %H:%MZ} to {until:%Y-%m-%d %H:%MZ}")
    return max(since, _instant_before(min(rounds), pasts))


def _instant_before(first: datetime, pasts: Iterable[TenantPast]) -> datetime:
    """Slices are committed before their round closes: what they read belongs to it."""
    changes = [change.at for past in pasts for theirs in past.outcomes.values() for change in theirs[:1]]
    return min([first, *changes])


async def tenants_of(reader: Reader, config: Config) -> tuple[Watched, ...]:
    """Give the tenants of a store: as configured, or as far as the store itself knows them where they are not."""
    configured = {tenant.key: watched_of(tenant) for tenant in config.tenants}
    return tuple([configured.get(record.key) or _unconfigured(record) for record in await reader.tenants()])


def _unconfigured(record: TenantRecord) -> Watched:
    """History that was brought from another machine: rules need no more than this."""
    cloud, _, tenant_id = record.key.partition("/")
    portal_url = CLOUDS[cloud].job_url if cloud in CLOUDS else CLOUDS["global"].job_url
    return Watched(key=record.key, name=record.name, tenant_id=tenant_id, portal_url=portal_url)
