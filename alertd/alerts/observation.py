"""What the readings of one slice make of what was known: snapshots, facts, history, alerts and events.

Three promises rest here. What was read is compared with the last good reading, so no transition is missed. What was not read changes nothing:
a failed, partial or odd answer neither resolves an alert nor counts as "gone". And a job is gone only after two good readings of its service
principal without it, or when a principal that is not there any more answered "not found" twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from alertd.alerts.book import RuleBook
from alertd.alerts.judgement import Case, Fault, Move, end_all, judge_events, judge_states
from alertd.alerts.lifecycle import end
from alertd.alerts.sighting import Sighting, Watched, last_ok_at
from alertd.alerts.tally import Tally, not_asked
from alertd.alerts.waking import earliest
from alertd.diff import diff
from alertd.errors import PollErrorKind
from alertd.model.alert import Alert, Ended, Event
from alertd.model.change import Change
from alertd.model.facts import new_series, step
from alertd.model.reading import Failed, NotAsked, Ok, Reading, Unchanged
from alertd.model.resources import SynchronizationJob
from alertd.model.views import Subject
from alertd.store.values import HistoryEntry, JobRecord, PrincipalRecord, ReadingChange, TenantRecord

FULL_EVERY = 50  # a full snapshot bounds a replay to as many deltas
_ABSENT_TWICE = 2
_NOT_ASKED = NotAsked()


@attrs.frozen(kw_only=True)
class Slice:
    """Whole service principals of one tenant, what was known of them, and what they answered by `now`.

    began: when the round began to ask; none of the readings is older. None: at `now`. asleep: service principals about whose jobs the rules
    need not be asked before an instant (None: at all) unless a job has changed.
    """

    watched: Watched
    tenant: TenantRecord
    principals: tuple[PrincipalRecord, ...]
    jobs: tuple[JobRecord, ...]
    alerts: tuple[Alert, ...]
    readings: Mapping[str, Reading]
    now: datetime
    began: datetime | None = None
    tells_first_sight: bool = True
    asleep: Mapping[str, datetime | None] = attrs.field(factory=dict)


@attrs.define(kw_only=True)
class Observation:
    """What a slice changes; everything here is written in one transaction.

    gone: keys of jobs that are not there any more. faults: rules that failed at run time. wakes: the service principals of which everything is
    known, that is, whose every job was read or is as it was: until when the rules need not be asked again unless something changes, None for ever.
    """

    principals: list[PrincipalRecord] = attrs.field(factory=list)
    jobs: list[JobRecord] = attrs.field(factory=list)
    gone: list[tuple[str, str, str]] = attrs.field(factory=list)
    history: list[HistoryEntry] = attrs.field(factory=list)
    reading_changes: list[ReadingChange] = attrs.field(factory=list)
    moves: list[Move] = attrs.field(factory=list)
    events: list[Event] = attrs.field(factory=list)
    faults: list[Fault] = attrs.field(factory=list)
    wakes: dict[str, datetime | None] = attrs.field(factory=dict)
    tally: Tally = attrs.field(factory=Tally)

    @property
    def changes_anything(self) -> bool:
        """Whether there is anything to write."""
        found = (self.principals, self.jobs, self.gone, self.history, self.reading_changes, self.moves, self.events)
        return any(found)


def observe(part: Slice, book: RuleBook) -> Observation:
    """Work through a slice."""
    return _Observer(part, book).run()


class _Observer:
    """One slice being worked through."""

    def __init__(self, part: Slice, book: RuleBook) -> None:
        self._part = part
        self._book = book
        self._now = part.now
        self._sighting = Sighting(watched=part.watched, tenant=part.tenant, now=part.now)
        self._found = Observation()
        self._ok = self._listed = 0
        self._wake_at: datetime | None = None
        self._alerts: dict[tuple[str, str], dict[str, Alert]] = {}
        for alert in part.alerts:
            owner = (alert.identity.service_principal_id, alert.identity.job_id)
            self._alerts.setdefault(owner, {})[alert.identity.rule] = alert

    def run(self) -> Observation:
        jobs: dict[str, dict[str, JobRecord]] = {}
        for record in self._part.jobs:
            jobs.setdefault(record.service_principal_id, {})[record.job.id] = record
        for principal in self._part.principals:
            identifier = principal.principal.id
            reading = self._part.readings.get(identifier, _NOT_ASKED)
            self._read(principal, reading, jobs.get(identifier, {}))
        self._count(Tally(asked=self._ok, ok=self._ok, jobs=self._listed, known=self._listed))
        return self._found

    def _read(self, principal: PrincipalRecord, reading: Reading, records: dict[str, JobRecord]) -> None:
        self._wake_at = self._part.asleep.get(principal.principal.id)
        if isinstance(reading, NotAsked):
            self._count(attrs.evolve(not_asked(principal.outcome), known=len(records)))
            self._left_out(principal, records)
        elif isinstance(reading, Failed):
            self._count(Tally(asked=1, known=len(records), kinds={reading.kind.value: 1}))
            self._refused(principal, reading, records)
        elif isinstance(reading, Unchanged):
            self._answers(len(records))
            self._answered_the_same(principal, records)
        else:
            self._answers(len(reading.jobs))
            self._answered(principal, reading, records)

    def _count(self, tally: Tally) -> None:
        self._found.tally += tally

    def _answers(self, jobs: int) -> None:
        """Count a good answer, which nearly all are: adding tallies would take longer than much of the rest."""
        self._ok += 1
        self._listed += jobs

    # Not its turn.

    def _left_out(self, principal: PrincipalRecord, records: dict[str, JobRecord]) -> None:
        """Let time pass for what its latest answer showed; what that one has frozen stays so, and one absence is no news."""
        answered = principal.outcome in {"ok", ""}
        if principal.outcome and principal.asked_at is None and self._part.tenant.lastPollAt is not None:
            asked_at = self._part.tenant.asked_from or self._part.tenant.lastPollAt
            self._found.principals.append(attrs.evolve(principal, asked_at=asked_at))
        present = [record for record in records.values() if answered and not record.absent]
        for record in present:
            self._age(principal, record, listed=False)
        if self._book.waking.sight:
            self._wake_at = self._now  # once it is listed again, it will have been seen then
        if answered and len(present) == len(records):
            self._known(principal)

    def _known(self, principal: PrincipalRecord) -> None:
        """Note that nothing about a service principal is open."""
        self._found.wakes[principal.principal.id] = self._wake_at

    # Readings that answered.

    def _answered_the_same(self, principal: PrincipalRecord, records: dict[str, JobRecord]) -> None:
        for record in records.values():
            self._age(principal, record, listed=True)
        self._known(principal)
        self._outcome(principal, "ok", has_jobs=principal.has_jobs, not_found=0)

    def _answered(self, principal: PrincipalRecord, reading: Ok, records: dict[str, JobRecord]) -> None:
        missing = dict(records)
        listed = {job.id: job for job in reading.jobs}  # pages may overlap: the later one is the fresher
        frozen = len(reading.unreadable)
        for job in listed.values():
            frozen += not self._see(principal, missing.pop(job.id, None), job)
        for job_id, _ in reading.unreadable:
            self._present(missing.pop(job_id, None))
        if not frozen and not missing:
            self._known(principal)
        if not any(job_id == "" for job_id, _ in reading.unreadable):
            for record in missing.values():
                self._miss(principal, record)
        has_jobs = principal.has_jobs or bool(reading.jobs)
        self._outcome(principal, "ok", has_jobs=has_jobs, not_found=0)

    def _see(self, principal: PrincipalRecord, known: JobRecord | None, job: SynchronizationJob) -> bool:
        """Compare a job with what was known; false where it says too little for that."""
        if job.status is None or job.status.code is None:
            self._present(known)  # frozen, as if its reading had failed; but it is there
            return False
        if known is None:
            self._first_sight(principal, job)
        elif changes := diff(known.job, job):
            self._changed(principal, known, job, changes)
        else:
            self._present(known)
            self._age(principal, known, listed=True)
        return True

    def _present(self, known: JobRecord | None) -> None:
        if known is not None and known.absent:
            self._found.jobs.append(attrs.evolve(known, absent=0))

    def _first_sight(self, principal: PrincipalRecord, job: SynchronizationJob) -> None:
        facts = step(None, None, job, self._now)
        expected = principal.first_discovery and principal.last_ok_at is None
        record = JobRecord(
            tenant_key=self._part.watched.key,
            service_principal_id=principal.principal.id,
            job=job,
            facts=facts,
            first_seen_at=self._now,
            changed_at=self._now,
            appeared_at=None if expected else self._now,
        )
        self._keep(record, full=job)
        subject = self._sighting.subject(principal, record, appeared=not expected)
        silent = not self._part.tells_first_sight
        case = self._case(principal, record, subject, (), changed=True, baseline=silent)
        self._judge(case, events=not silent)

    def _changed(
        self, principal: PrincipalRecord, known: JobRecord, job: SynchronizationJob, changes: tuple[Change, ...]
    ) -> None:
        record = JobRecord(  # spelled out: `attrs.evolve` looks up anew each time what a record is made of
            tenant_key=known.tenant_key,
            service_principal_id=known.service_principal_id,
            job=job,
            facts=step(known.facts, known.job, job, self._now),
            sequence=known.sequence + 1,
            first_seen_at=known.first_seen_at,
            changed_at=self._now,
            appeared_at=known.appeared_at,
        )
        self._keep(record, full=job if record.sequence % FULL_EVERY == 0 else None, changes=changes)
        subject = self._sighting.subject(principal, record, before=known)
        renewed = new_series(known.job, job)
        case = self._case(principal, record, subject, changes, changed=True, renewed=renewed)
        self._judge(case, events=True)

    def _age(self, principal: PrincipalRecord, record: JobRecord, *, listed: bool) -> None:
        """Time alone passes: the same snapshot, asked again or not."""
        if principal.principal.id in self._part.asleep:
            return
        subject = self._sighting.subject(principal, record, before=record, listed=listed)
        self._judge(self._case(principal, record, subject, (), changed=False), events=False)

    def _keep(self, record: JobRecord, *, full: SynchronizationJob | None, changes: tuple[Change, ...] = ()) -> None:
        self._found.jobs.append(record)
        self._found.history.append(
            HistoryEntry(
                tenant_key=record.tenant_key,
                service_principal_id=record.service_principal_id,
                job_id=record.job.id,
                sequence=record.sequence,
                at=self._now,
                full=full,
                changes=() if full else changes,
                facts=record.facts if full else None,
            )
        )

    # Readings that did not list a job, or did not answer.

    def _miss(self, principal: PrincipalRecord, record: JobRecord) -> None:
        if record.absent + 1 < _ABSENT_TWICE:
            self._found.jobs.append(attrs.evolve(record, absent=record.absent + 1))
        else:
            self._vanish(principal, record)

    def _refused(self, principal: PrincipalRecord, reading: Failed, records: dict[str, JobRecord]) -> None:
        missing = principal.not_found + 1 if reading.kind is PollErrorKind.NOT_FOUND else principal.not_found
        if missing >= _ABSENT_TWICE and not principal.listed:
            for record in records.values():
                self._vanish(principal, record)
        self._outcome(principal, reading.kind.value, has_jobs=principal.has_jobs, not_found=min(missing, _ABSENT_TWICE))

    def _vanish(self, principal: PrincipalRecord, record: JobRecord) -> None:
        last = attrs.evolve(record, sequence=record.sequence + 1)
        subject = self._sighting.subject(principal, last, before=record, listed=False, gone=True)
        case = self._case(principal, last, subject, (), changed=True)
        alerts = tuple(case.alerts.values())
        ended = [end(alert, Ended.GONE, self._now, case.evidence) for alert in alerts]
        self._found.moves.extend(end_all(alerts, ended))
        self._tell_events(case)
        self._found.gone.append(record.key)
        self._found.history.append(
            HistoryEntry(
                tenant_key=record.tenant_key,
                service_principal_id=record.service_principal_id,
                job_id=record.job.id,
                sequence=last.sequence,
                at=self._now,
                gone=True,
            )
        )

    def _outcome(self, principal: PrincipalRecord, outcome: str, *, has_jobs: bool, not_found: int) -> None:
        found = (outcome, has_jobs, not_found, None)
        if found == (principal.outcome, principal.has_jobs, principal.not_found, principal.asked_at):
            return
        after = attrs.evolve(principal, has_jobs=has_jobs, not_found=not_found, asked_at=None)
        if outcome != principal.outcome:
            began = self._part.began or self._now
            last = began if outcome == "ok" else last_ok_at(principal, self._part.tenant)
            after = attrs.evolve(after, outcome=outcome, outcome_since=self._now, last_ok_at=last)
            self._found.reading_changes.append(
                ReadingChange(
                    tenant_key=self._part.watched.key,
                    service_principal_id=principal.principal.id,
                    at=self._now,
                    outcome=outcome,
                )
            )
        self._found.principals.append(after)

    # Rules.

    def _judge(self, case: Case, *, events: bool) -> None:
        alerts, waking = case.alerts, self._book.waking
        again = waking.always or (case.changed and waking.looks_back)
        for result in judge_states(case, self._book):
            if isinstance(result, Fault):
                self._found.faults.append(result)
                again = True
            else:
                self._found.moves.append(result)
                alerts = _moved(alerts, result)
        if events:
            self._tell_events(case)
        wake_at = self._now if again else waking.next_at(case, alerts.values())
        self._wake_at = earliest(self._wake_at, wake_at)

    def _tell_events(self, case: Case) -> None:
        for result in judge_events(case, self._book):
            if isinstance(result, Fault):
                self._found.faults.append(result)
            else:
                self._found.events.append(result)

    def _case(
        self,
        principal: PrincipalRecord,
        record: JobRecord,
        subject: Subject,
        changes: Iterable[Change],
        *,
        changed: bool,
        baseline: bool = False,
        renewed: bool = False,
    ) -> Case:
        alerts = self._alerts.get((record.service_principal_id, record.job.id), {})
        return self._sighting.case(
            principal, record, subject, changes, alerts=alerts, changed=changed, baseline=baseline, renewed=renewed
        )


def _moved(alerts: Mapping[str, Alert], move: Move) -> Mapping[str, Alert]:
    """Give a job's alerts, by rule, after a move."""
    if move.after is not None:
        return {**alerts, move.after.name: move.after}
    gone = move.before.name if move.before else ""
    return {name: alert for name, alert in alerts.items() if name != gone}
