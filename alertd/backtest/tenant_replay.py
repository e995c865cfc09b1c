"""One tenant's jobs on their way through a replay: who is asked when.

A round that changed nothing costs nothing. A job is asked about when something changed where a rule looks, at the round after that where a rule
looks at `previous`, and at the first round at or after an instant at which time alone may change an answer: a horizon of a rule, or the end of a
`for` or `keep_firing_for`. While it has an alert every change is news, since the alert shows the job as it is. Between these nothing could come of
asking; `every_round` asks all the same, for tests to compare.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush

import attrs

from alertd.alerts.judgement import Case
from alertd.alerts.replaying import advanced
from alertd.alerts.sighting import Sighting, last_ok_at, tenant_case
from alertd.alerts.tally import closed_round, tally_of
from alertd.backtest.attention import attention_of
from alertd.backtest.past import JobKey, Moment, TenantPast
from alertd.backtest.track import Track
from alertd.backtest.world import Alerts, World
from alertd.model.alert import Scope
from alertd.model.change import Change
from alertd.model.facts import new_series
from alertd.store.values import JobRecord, Outline, PrincipalRecord, ReadingChange, RoundEntry, TenantRecord

Missing = Mapping[JobKey, deque[datetime]]  # as Chronology.missing


@attrs.define(kw_only=True)
class Figures:
    """What a replay went through. readings: jobs times rounds. asked: how often a job was put before the rules."""

    rounds: int = 0
    readings: int = 0
    changes: int = 0
    asked: int = 0


@attrs.frozen(kw_only=True)
class _Sight:
    """A job to be judged. before: its record at the last good reading; None at first sight."""

    track: Track
    before: JobRecord | None
    changes: tuple[Change, ...] = ()
    gone: bool = False

    @property
    def changed(self) -> bool:
        return self.gone or self.before is not self.track.record


class TenantReplay:
    """One tenant's jobs on their way."""

    def __init__(self, past: TenantPast, worlds: Sequence[World], figures: Figures, every_round: bool) -> None:
        self._past = past
        self._worlds = worlds
        self._figures = figures
        self._record = TenantRecord(
            key=past.watched.key, name=past.watched.name, credentialExpiresAt=past.record.credentialExpiresAt
        )
        self._principals = {key: _unread(one) for key, one in past.principals.items()}
        self._tracks: dict[JobKey, Track] = {}
        self._wakes: list[tuple[datetime, JobKey]] = []
        self._owed: dict[str, dict[JobKey, None]] = {}  # by principal: jobs that were due while it did not answer
        self._all_due = True
        self._own_wake: datetime | None = None
        self._own_due = True
        self._always = every_round or _any(worlds, Scope.JOB, "always")
        self._own_always = every_round or _any(worlds, Scope.TENANT, "always")
        self._looks_back = _any(worlds, Scope.JOB, "looks_back")
        self._reads_figures = _any(worlds, Scope.JOB, "figures")
        self._attention = attention_of(rule for world in worlds for rule in world.job_rules)

    # Before the replay begins.

    def remember(self, moment: Moment, missing: Missing) -> None:
        """Take a moment in without asking anybody."""
        for entry in moment.entries:
            track = self._tracks.get(entry.key)
            if entry.gone:
                self._forget(entry, missing)
            elif track is None or entry.sequence == 1:
                self._advance(entry)
            else:
                track.put_off(entry)
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
        told: set[JobKey] = set()
        outcomes = {one.service_principal_id: one.outcome for one in moment.outcomes}
        self._figures.changes += len(moment.entries)
        for entry in moment.entries:
            if self._passes_by(entry):
                continue
            told.add(entry.key)
            sight = self._sight(entry, missing)
            if sight is not None:
                yield sight
        for key in self._aged(moment, outcomes):
            if key not in told and not _is_missing(key, moment.at, missing):
                told.add(key)
                track = self._tracks[key]
                yield _Sight(track=track, before=track.record)

    def _passes_by(self, entry: Outline) -> bool:
        """Whether nothing comes of an entry, so that it need not be read now: it changed nothing where anybody looks, and nothing else is due."""
        track = self._tracks.get(entry.key)
        if track is None or entry.gone or self._always or self._all_due or entry.key[1] in self._owed:
            return False
        if track.wake_at is not None and track.wake_at <= entry.at:
            return False
        if self._concerns(entry, track) or not self._rests(track, entry.at):
            return False
        for world in self._worlds:
            if entry.key in world.standing:
                return False
        track.put_off(entry)
        track.judged_at = entry.at
        return True

    def _concerns(self, entry: Outline, track: Track) -> bool:
        if entry.paths is not None:
            return self._attention.concerns(entry.paths)
        full = entry.read().full
        return full is None or entry.sequence == 1 or self._attention.tells_apart(track.seen.job, full)

    def _rests(self, track: Track, now: datetime) -> bool:
        """Whether no event happens at a change that no rule looks at; one that needs `previous` alone may, at every change."""
        if track.rests is None:
            sight = _Sight(track=track, before=track.record)
            sighting = Sighting(watched=self._past.watched, tenant=self._record, now=now)
            cases = self._cases(sight, sighting, [{} for _ in self._worlds])
            track.rests = not any(world.tells(case) for world, case in zip(self._worlds, cases, strict=True))
        return track.rests

    def _sight(self, entry: Outline, missing: Missing) -> _Sight | None:
        known = self._tracks.get(entry.key)
        before = known.record if known else None
        if entry.gone:
            self._forget(entry, missing)
            if before is None:
                return None
            last = Track(attrs.evolve(before, sequence=entry.sequence))
            return _Sight(track=last, before=before, gone=True)
        changes = self._advance(entry)
        track = self._tracks.get(entry.key)
        if track is None:
            return None
        if before is None and entry.sequence > 1:  # what led up to it is not kept any more
            before = track.record
        return _Sight(track=track, before=None if entry.sequence == 1 else before, changes=changes)

    def _aged(self, moment: Moment, outcomes: Mapping[str, str]) -> Iterator[JobKey]:
        """Give the jobs that answer now and are to be asked about though nothing new was read of them, some perhaps twice."""
        for principal, outcome in outcomes.items():
            if outcome == "ok":
                yield from (key for key in self._owed.pop(principal, ()) if key in self._tracks)
        for closed in moment.rounds:
            for key in self._due(closed.at):
                if self._answers(key[1], outcomes):
                    yield key
                else:
                    self._owed.setdefault(key[1], {})[key] = None

    def _answers(self, principal_id: str, outcomes: Mapping[str, str]) -> bool:
        return outcomes.get(principal_id, self._principals[principal_id].outcome) == "ok"

    def _due(self, at: datetime) -> list[JobKey]:
        """Give the jobs that a round has to ask about; one that its own slice has asked about already waits for the next."""
        if self._always or self._all_due:
            self._all_due = False
            return [key for key, track in self._tracks.items() if not self._is_asked(track)]
        due: dict[JobKey, None] = {}
        later: list[tuple[datetime, JobKey]] = []
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

    def _is_asked(self, track: Track) -> bool:
        since = self._record.lastPollAt
        return track.judged_at is not None and (since is None or track.judged_at > since)

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
        for world, case in zip(self._worlds, self._cases(sight, sighting, alerts), strict=True):
            if sight.gone:
                world.vanish(case)
            elif (at := world.judge(case, events=sight.changed and not case.baseline)) is not None:
                yield at

    def _cases(
        self, sight: _Sight, sighting: Sighting, alerts: Sequence[Mapping[tuple[str, str], Alerts]]
    ) -> Iterator[Case]:
        """Put a job as every world sees it."""
        record = sight.track.record
        principal = self._principals[record.service_principal_id]
        first = sight.before is None
        appeared = first and not (principal.first_discovery and principal.last_ok_at is None)
        subject = sighting.subject(
            principal, record, before=sight.before, listed=not sight.gone, gone=sight.gone, appeared=appeared
        )
        for world, known in zip(self._worlds, alerts, strict=True):
            silent = first and not world.setting.tells_first_sight
            yield sighting.case(
                principal,
                record,
                subject,
                sight.changes,
                alerts=known.get((record.service_principal_id, record.job.id), {}),
                changed=sight.changed,
                baseline=silent,
                renewed=_renewed(sight),
            )

    def _schedule(self, sight: _Sight, again: list[datetime], now: datetime) -> None:
        track = sight.track
        track.judged_at = now
        if self._looks_back and sight.changed:
            again.append(now)
        track.wake_at = min(again, default=None)
        if track.wake_at is not None:
            heappush(self._wakes, (track.wake_at, track.record.key))

    # What is known of jobs, principals and the tenant.

    def _advance(self, entry: Outline) -> tuple[Change, ...]:
        """Bring a job to an entry; give what changed by it."""
        track = self._tracks.get(entry.key)
        if track is not None:
            return track.advance(entry.read())
        record, changes = advanced(None, entry.read(), first_seen_at=self._first_seen_at(entry))
        if record is not None:
            self._tracks[entry.key] = Track(record)
        return changes

    def _first_seen_at(self, entry: Outline) -> datetime:
        """Where history no longer reaches back to first sight, the store's own record of the job does."""
        kept = self._past.jobs.get(entry.key)
        return kept.first_seen_at if kept and entry.sequence > 1 else entry.at

    def _forget(self, entry: Outline, missing: Missing) -> None:
        self._tracks.pop(entry.key, None)
        missing[entry.key].popleft()

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


def _is_missing(key: JobKey, at: datetime, missing: Missing) -> bool:
    since = missing.get(key)
    return bool(since and since[0] <= at)


def _known_by(record: TenantRecord) -> tuple[object, ...]:
    """Give the figures of a tenant that rules can look at, but for the instant of its latest round."""
    return (
        record.consecutivePollFailures,
        record.lastPollError,
        record.pollCoverage,
        record.failedServicePrincipals,
        record.credentialExpiresAt,
    )
