"""The replay: every job at every round as history has it, put before each set of rules.

A round that changed nothing costs nothing. A job is asked about when something was read of it, at the round after that where a rule looks at
`previous`, and at the first round at or after an instant at which time alone may change an answer: a horizon of a rule, or the end of a `for`
or `keep_firing_for`. Between these nothing could come of asking; `every_round` asks all the same, for tests to compare.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush

import attrs

from alertd.alerts.observation import closed_round, tally_of
from alertd.alerts.replaying import advanced
from alertd.alerts.sighting import Sighting, last_ok_at, tenant_case
from alertd.backtest.past import Chronology, JobKey, Moment, TenantPast
from alertd.backtest.world import Alerts, World
from alertd.model.alert import Scope
from alertd.model.change import Change
from alertd.model.facts import new_series
from alertd.store.values import HistoryEntry, JobRecord, PrincipalRecord, ReadingChange, RoundEntry, TenantRecord

Missing = Mapping[JobKey, deque[datetime]]  # as Chronology.missing
Progress = Callable[[int, int], None]  # rounds done, rounds in all

_PROGRESS_EVERY = 50  # rounds


@attrs.define(kw_only=True)
class Figures:
    """What a replay went through. readings: jobs times rounds. asked: how often a job was put before the rules."""

    rounds: int = 0
    readings: int = 0
    changes: int = 0
    asked: int = 0


@attrs.define
class _Track:
    """A job on its way. judged_at: when it was last asked about. wake_at: when next, if nothing is read; None: not before."""

    record: JobRecord
    judged_at: datetime | None = None
    wake_at: datetime | None = None


@attrs.frozen(kw_only=True)
class _Sight:
    """A job to be judged. before: its record at the last good reading; None at first sight."""

    track: _Track
    before: JobRecord | None
    changes: tuple[Change, ...] = ()
    gone: bool = False

    @property
    def changed(self) -> bool:
        return self.gone or self.before is not self.track.record


class Replay:
    """Plays moments to worlds, in their order. start: history before it is only remembered."""

    def __init__(
        self, pasts: Sequence[TenantPast], worlds: Sequence[World], start: datetime, *, every_round: bool = False
    ) -> None:
        self._worlds = worlds
        self._start = start
        self.figures = Figures()
        self._tenants = {past.watched.key: _Tenant(past, worlds, self.figures, every_round) for past in pasts}
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

    def _parts(self, moment: Moment) -> Iterator[tuple[_Tenant, Moment]]:
        """Split a moment by tenant; nearly every one is of one tenant alone."""
        found: tuple[HistoryEntry | ReadingChange | RoundEntry, ...] = (
            *moment.entries,
            *moment.outcomes,
            *moment.rounds,
        )
        keys = dict.fromkeys(one.tenant_key for one in found)
        for key in keys:
            if len(keys) == 1:
                yield self._tenants[key], moment
                return
            yield (
                self._tenants[key],
                Moment(
                    at=moment.at,
                    entries=tuple(one for one in moment.entries if one.tenant_key == key),
                    outcomes=tuple(one for one in moment.outcomes if one.tenant_key == key),
                    rounds=tuple(one for one in moment.rounds if one.tenant_key == key),
                ),
            )


class _Tenant:
    """One tenant's jobs on their way."""

    def __init__(self, past: TenantPast, worlds: Sequence[World], figures: Figures, every_round: bool) -> None:
        self._past = past
        self._worlds = worlds
        self._figures = figures
        self._record = TenantRecord(
            key=past.watched.key, name=past.watched.name, credentialExpiresAt=past.record.credentialExpiresAt
        )
        self._principals = {key: _unread(one) for key, one in past.principals.items()}
        self._tracks: dict[tuple[str, str], _Track] = {}
        self._wakes: list[tuple[datetime, tuple[str, str]]] = []
        self._all_due = True
        self._own_wake: datetime | None = None
        self._own_due = True
        self._always = every_round or _any(worlds, Scope.JOB, "always")
        self._own_always = every_round or _any(worlds, Scope.TENANT, "always")
        self._looks_back = _any(worlds, Scope.JOB, "looks_back")
        self._reads_figures = _any(worlds, Scope.JOB, "figures")

    # Before the replay begins.

    def remember(self, moment: Moment, missing: Missing) -> None:
        """Take a moment in without asking anybody."""
        for entry in moment.entries:
            if entry.gone:
                self._forget(entry, missing)
            else:
                self._advance(entry)
        self._hear(moment.outcomes)
        for closed in moment.rounds:
            self._record = closed_round(self._record, tally_of(closed), moment.at)

    # The replay.

    async def play(self, moment: Moment, missing: Missing) -> None:
        """Put what a moment brought, and what time has brought by it, before the rules."""
        sights = list(self._seen(moment, missing))
        await self._judge(sights, moment.at)
        self._hear(moment.outcomes)
        for closed in moment.rounds:
            await self._close(closed, moment.at)

    def _seen(self, moment: Moment, missing: Missing) -> Iterator[_Sight]:
        told: set[tuple[str, str]] = set()
        for entry in moment.entries:
            sight = self._sight(entry, missing)
            told.add((entry.service_principal_id, entry.job_id))
            if sight is not None:
                yield sight
        outcomes = {one.service_principal_id: one.outcome for one in moment.outcomes}
        for key in self._aged(moment, outcomes):
            if key not in told and not self._is_missing(key, moment.at, missing):
                track = self._tracks[key]
                yield _Sight(track=track, before=track.record)

    def _sight(self, entry: HistoryEntry, missing: Missing) -> _Sight | None:
        self._figures.changes += 1
        known = self._tracks.get((entry.service_principal_id, entry.job_id))
        before = known.record if known else None
        if entry.gone:
            self._forget(entry, missing)
            if before is None:
                return None
            last = _Track(attrs.evolve(before, sequence=entry.sequence))
            return _Sight(track=last, before=before, gone=True)
        changes = self._advance(entry)
        track = self._tracks.get((entry.service_principal_id, entry.job_id))
        if track is None:
            return None
        if before is None and entry.sequence > 1:  # what led up to it is not kept any more
            before = track.record
        return _Sight(track=track, before=None if entry.sequence == 1 else before, changes=changes)

    def _aged(self, moment: Moment, outcomes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Give the jobs that answer now and are to be asked about though nothing new was read of them."""
        back = {principal for principal, outcome in outcomes.items() if outcome == "ok"}
        if back:
            yield from [key for key in self._tracks if key[0] in back]
        for closed in moment.rounds:
            for key in self._due(closed.at):
                if key[0] not in back and self._answers(key[0], outcomes):
                    yield key

    def _answers(self, principal_id: str, outcomes: Mapping[str, str]) -> bool:
        return outcomes.get(principal_id, self._principals[principal_id].outcome) == "ok"

    def _due(self, at: datetime) -> list[tuple[str, str]]:
        """Give the jobs that a round has to ask about; one that its own slice has asked about already waits for the next."""
        if self._always or self._all_due:
            self._all_due = False
            return [key for key, track in self._tracks.items() if not self._is_asked(track)]
        due: dict[tuple[str, str], None] = {}
        later: list[tuple[datetime, tuple[str, str]]] = []
        while self._wakes and self._wakes[0][0] <= at:
            wake_at, key = heappop(self._wakes)
            track = self._tracks.get(key)
            if track is None or track.wake_at != wake_at:
                continue  # asked since, and to be woken at another time
            if self._is_asked(track):
                later.append((wake_at, key))
            else:
                due[key] = None
        for wake in later:
            heappush(self._wakes, wake)
        return list(due)

    def _is_asked(self, track: _Track) -> bool:
        since = self._record.lastPollAt
        return track.judged_at is not None and (since is None or track.judged_at > since)

    def _is_missing(self, key: tuple[str, str], at: datetime, missing: Missing) -> bool:
        since = missing.get((self._past.watched.key, *key))
        return bool(since and since[0] <= at)

    async def _judge(self, sights: Sequence[_Sight], now: datetime) -> None:
        if not sights:
            return
        self._figures.asked += len(sights)
        sighting = Sighting(watched=self._past.watched, tenant=self._record, now=now)
        principals = {sight.track.record.service_principal_id for sight in sights}
        alerts = [await world.alerts_of(self._past.watched.key, principals) for world in self._worlds]
        for sight in sights:
            again = list(self._asked(sight, sighting, alerts))
            if not sight.gone:
                self._schedule(sight, again, now)

    def _asked(
        self, sight: _Sight, sighting: Sighting, alerts: Sequence[Mapping[tuple[str, str], Alerts]]
    ) -> Iterator[datetime]:
        """Ask every world; give when it wants to be asked again."""
        record = sight.track.record
        principal = self._principals[record.service_principal_id]
        first = sight.before is None
        appeared = first and not (principal.first_discovery and principal.last_ok_at is None)
        subject = sighting.subject(
            principal, record, before=sight.before, listed=not sight.gone, gone=sight.gone, appeared=appeared
        )
        for world, known in zip(self._worlds, alerts, strict=True):
            silent = first and not world.setting.tells_first_sight
            case = sighting.case(
                principal,
                record,
                subject,
                sight.changes,
                alerts=known.get((record.service_principal_id, record.job.id), {}),
                changed=sight.changed,
                baseline=silent,
                renewed=_renewed(sight),
            )
            if sight.gone:
                world.vanish(case)
            elif (at := world.judge(case, events=sight.changed and not silent)) is not None:
                yield at

    def _schedule(self, sight: _Sight, again: list[datetime], now: datetime) -> None:
        track = sight.track
        track.judged_at = now
        if self._looks_back and sight.changed:
            again.append(now)
        track.wake_at = min(again, default=None)
        if track.wake_at is not None:
            heappush(self._wakes, (track.wake_at, (track.record.service_principal_id, track.record.job.id)))

    # What is known of jobs, principals and the tenant.

    def _advance(self, entry: HistoryEntry) -> tuple[Change, ...]:
        """Bring a job to an entry; give what changed by it."""
        key = (entry.service_principal_id, entry.job_id)
        track = self._tracks.get(key)
        record, changes = advanced(track.record if track else None, entry, first_seen_at=self._first_seen_at(entry))
        if record is None:
            return ()
        if track is None:
            self._tracks[key] = _Track(record)
        else:
            track.record = record
        return changes

    def _first_seen_at(self, entry: HistoryEntry) -> datetime:
        """Where history no longer reaches back to first sight, the store's own record of the job does."""
        kept = self._past.jobs.get((entry.tenant_key, entry.service_principal_id, entry.job_id))
        return kept.first_seen_at if kept and entry.sequence > 1 else entry.at

    def _forget(self, entry: HistoryEntry, missing: Missing) -> None:
        self._tracks.pop((entry.service_principal_id, entry.job_id), None)
        since = missing[entry.tenant_key, entry.service_principal_id, entry.job_id]
        since.popleft()

    def _hear(self, outcomes: Iterable[ReadingChange]) -> None:
        for change in outcomes:
            principal = self._principals.get(change.service_principal_id)
            if principal is not None:
                last = change.at if change.outcome == "ok" else last_ok_at(principal, self._record)
                self._principals[change.service_principal_id] = attrs.evolve(
                    principal, outcome=change.outcome, outcome_since=change.at, last_ok_at=last
                )

    async def _close(self, closed: RoundEntry, now: datetime) -> None:
        before, self._record = self._record, closed_round(self._record, tally_of(closed), now)
        self._figures.rounds += 1
        self._figures.readings += len(self._tracks)
        moved = _known_by(before) != _known_by(self._record)
        self._all_due |= moved and self._reads_figures
        due = self._own_wake is not None and self._own_wake <= now
        if not (moved or due or self._own_due or self._own_always):
            return
        self._own_due = False
        again = [await self._ask_own(world, before, now) for world in self._worlds]
        self._own_wake = min((at for at in again if at is not None), default=None)

    async def _ask_own(self, world: World, before: TenantRecord, now: datetime) -> datetime | None:
        key = self._past.watched.key
        alerts = (await world.alerts_of(key, [""])).get(("", ""), {})
        return world.judge(tenant_case(self._past.watched, before, self._record, alerts, now), events=True)


def _any(worlds: Iterable[World], scope: Scope, name: str) -> bool:
    return any(world.any_horizon(scope, name) for world in worlds)


def _unread(principal: PrincipalRecord) -> PrincipalRecord:
    """A principal as it was before its first reading; who it is has not been kept, so it is who it is now."""
    return attrs.evolve(principal, outcome="", outcome_since=None, last_ok_at=None, not_found=0)


def _renewed(sight: _Sight) -> bool:
    return sight.before is not None and sight.changed and new_series(sight.before.job, sight.track.record.job)


def _known_by(record: TenantRecord) -> tuple[object, ...]:
    """Give the figures of a tenant that rules can look at, but for the instant of its latest round."""
    return (
        record.consecutivePollFailures,
        record.lastPollError,
        record.pollCoverage,
        record.failedServicePrincipals,
        record.credentialExpiresAt,
    )
