"""One set of rules and routes on its way through the past: it judges, groups, flushes and delivers as the daemon would have.

Its receivers accept everything at once and remember it. Annotations are not rendered on the way: nothing depends on them, and a report renders
those that it shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

import attrs

from alertd.alerts.book import RuleBook
from alertd.alerts.judgement import Case, Fault, Move, end_all, judge_events, judge_states
from alertd.alerts.lifecycle import end
from alertd.alerts.waking import Waking, earliest
from alertd.engine.delivering import Delivering
from alertd.engine.flushing import Flushing
from alertd.engine.recording import record
from alertd.model.alert import Alert, Ended, Event, Scope, State
from alertd.model.views import Subject
from alertd.notify.channels.port import Channel
from alertd.rehearsal.course import Heard, heard
from alertd.rehearsal.receivers import Receivers, RehearsedChannel
from alertd.rehearsal.setting import Setting
from alertd.rules.rule import Rule
from alertd.store.memory import MemoryStore

JobKey = tuple[str, str, str]  # tenant key, service principal id, job id

_BATCH = 1000  # deliveries looked up at once
Alerts = Mapping[str, Alert]  # a subject's, by rule


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of a set of rules. fired, told: by rule, how often it began to fire or happened, and in how many messages it is named."""

    heard: tuple[Heard, ...]
    fired: Mapping[str, int]
    faults: Mapping[str, int]

    @property
    def told(self) -> Mapping[str, int]:
        """By rule, in how many messages it is named."""
        return Counter(name for one in self.heard for name in set(one.names))


class World:
    """A set of rules and routes. start: what the instants of its messages are counted from.

    standing: the jobs that have an alert that is not over, with the names of its rules.
    """

    def __init__(self, setting: Setting, start: datetime) -> None:
        self.setting = setting
        self.book = _silent(setting.book())
        self._start = start
        self._store = MemoryStore()
        self._receivers = Receivers((), start)
        integrations = [one for receiver in setting.routing.receivers.values() for one in receiver]
        channels: dict[str, Channel] = {one.id: RehearsedChannel(one, self._receivers) for one in integrations}
        self._flushing = Flushing(self._store, setting.routing, channels, setting.policy)
        self._delivering = Delivering(self._store, self._flushing, channels, setting.policy, chance=lambda: 0.0)
        self._next: datetime | None = None
        self._moves: list[Move] = []
        self._events: list[Event] = []
        self._fired: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._waking = {scope: Waking(self.book, scope) for scope in Scope}
        self._holders: set[tuple[str, str]] = set()
        self.standing: dict[JobKey, set[str]] = {}

    def any_horizon(self, scope: Scope, name: str) -> bool:
        """Whether any rule of a scope has this flag in its horizon."""
        return bool(getattr(self._waking[scope], name))

    @property
    def job_rules(self) -> tuple[Rule, ...]:
        """The rules about jobs."""
        return (*self.book.states(Scope.JOB), *self.book.events(Scope.JOB))

    def tells(self, case: Case) -> bool:
        """Whether some event happens in a case, or some rule fails; nothing comes of it."""
        return any(judge_events(case, self.book))

    # Judging.

    async def alerts_of(self, tenant_key: str, principal_ids: Collection[str]) -> Mapping[tuple[str, str], Alerts]:
        """Give the alerts of these principals' jobs, by principal and job id; those of the tenant itself under empty ids."""
        chosen = [one for one in principal_ids if (tenant_key, one) in self._holders]
        if not chosen:
            return {}
        async with self._store.reading() as reader:
            alerts = await reader.alerts_of(tenant_key, chosen)
        found: dict[tuple[str, str], dict[str, Alert]] = {}
        for alert in alerts:
            found.setdefault((alert.identity.service_principal_id, alert.identity.job_id), {})[alert.name] = alert
        return found

    def judge(self, case: Case, *, events: bool) -> datetime | None:
        """Ask the rules about a case; give when it has to be asked again though nothing new is read, None if never."""
        after = dict(case.alerts) if case.alerts else {}
        again: datetime | None = None
        for result in judge_states(case, self.book):
            if isinstance(result, Fault):
                self._fault(result)
                again = case.subject.now
            else:
                self._move(result)
                _put(after, result)
        if events:
            self._judge_events(case)
        return earliest(again, self._waking[case.scope].next_at(case, after.values(), texts=False))

    def vanish(self, case: Case) -> None:
        """End what is left of a job that is gone, and tell it."""
        alerts = tuple(case.alerts.values())
        ended = [end(alert, Ended.GONE, case.subject.now, case.evidence) for alert in alerts]
        for move in end_all(alerts, ended):
            self._move(move)
        self._judge_events(case)

    def _judge_events(self, case: Case) -> None:
        for result in judge_events(case, self.book):
            if isinstance(result, Fault):
                self._fault(result)
            else:
                self._events.append(result)
                self._fired[result.name] += 1

    def _fault(self, fault: Fault) -> None:
        self._faults[fault.rule] += 1

    def _move(self, move: Move) -> None:
        self._moves.append(move)
        self._note(move)
        if move.after is None:
            return
        identity = move.after.identity
        self._holders.add((identity.tenant_key, identity.service_principal_id))
        before = (move.before.state, move.before.episode) if move.before else None
        if move.after.state is State.FIRING and before != (State.FIRING, move.after.episode):
            self._fired[move.after.name] += 1

    def _note(self, move: Move) -> None:
        """Keep in mind which jobs have an alert that is not over."""
        alert = move.after or move.before
        assert alert is not None  # noqa: S101 - a move has two sides
        identity = alert.identity
        key = (identity.tenant_key, identity.service_principal_id, identity.job_id)
        standing = self.standing.setdefault(key, set())
        if move.after is not None and move.after.state is not State.RESOLVED:
            standing.add(alert.name)
        else:
            standing.discard(alert.name)
        if not standing:
            del self.standing[key]

    # What follows from it.

    async def commit(self, now: datetime) -> None:
        """Write down what was judged at this instant, then flush and deliver what is due at it."""
        if self._moves or self._events:
            async with self._store.transaction() as transaction:
                await record(transaction, self._moves, self._events, self.setting.routing, now)
            self._moves.clear()
            self._events.clear()
            self._next = now
        if self._next is not None and self._next <= now:
            await self._work(now)

    async def pass_time(self, until: datetime) -> None:
        """Flush and deliver all that is due before an instant."""
        while self._next is not None and self._next < until:
            await self._work(self._next)

    async def _work(self, now: datetime) -> None:
        while await self._flushing.flush_due(now) + await self._deliver(now):
            pass
        due = [await self._flushing.next_due(), await self._delivering.next_due()]
        self._next = min((at for at in due if at is not None), default=None)

    async def _deliver(self, now: datetime) -> int:
        due = await self._delivering.due(now, _BATCH)
        for one in due:
            delivery = await self._delivering.claim(one.delivery_id, now)
            if delivery is not None:
                await self._delivering.finish(delivery.id, await self._delivering.send(delivery, now), now)
        return len(due)

    async def close(self) -> Outcome:
        """Give what became of it, and forget the rest."""
        await self._store.close()
        told = heard(self._receivers.attempts, self._start)
        return Outcome(heard=told, fired=dict(self._fired), faults=dict(self._faults))


def _put(alerts: dict[str, Alert], move: Move) -> None:
    if move.after is not None:
        alerts[move.after.name] = move.after
    elif move.before is not None:
        alerts.pop(move.before.name, None)


def _silent(book: RuleBook) -> RuleBook:
    """Give the book without the words: they are rendered for what is shown."""

    def annotate(_rule: Rule, _subject: Subject, _labels: Mapping[str, str]) -> Mapping[str, str]:
        return {}

    book.annotate = annotate
    return book
