"""From a store and a configuration to the explanation of a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from alertd.alerts.book import RuleBook
from alertd.alerts.next_look import LookReason, Pace, look_at_principal
from alertd.alerts.sighting import Watched, job_labels, tenant_labels
from alertd.backtest.runner import tenants_of
from alertd.chronicle import find_job
from alertd.config import Config, Poll
from alertd.errors import UsageError
from alertd.explanation.account import Condition, Explanation, Held, Knows, Message, RuleAccount, Standing
from alertd.explanation.holding import Scene, later, of_condition, of_decision, of_message
from alertd.explanation.look import Look, look_at
from alertd.explanation.reminding import of_reminder, reminder_at
from alertd.model.alert import Alert, Identity, Scope, State
from alertd.model.suggestion import did_you_mean
from alertd.model.views import Subject
from alertd.rehearsal.setting import Setting
from alertd.rules.rule import Rule
from alertd.store.port import Reader
from alertd.store.values import Conversation, LogEntry, TransitionEntry


async def explain(
    reader: Reader, config: Config, setting: Setting, job: str, rule: str | None, *, at: datetime | None, now: datetime
) -> Explanation:
    """Explain all rules on a job, or one; raises UsageError for a job, rule or moment that nobody knows.

    at: a moment of the past; null for the present, `now`.
    """
    book = setting.book()
    rules = _chosen(book, rule)
    chosen = await find_job(reader, config, job)
    watched = next(one for one in await tenants_of(reader, config) if one.key == chosen.tenant_key)
    look = await look_at(reader, watched, chosen, at or now)
    if look is None:
        raise UsageError(f"nothing is known of {job} at {at or now:%Y-%m-%d %H:%M:%SZ}: it was first seen later")
    teller = await _Teller.read(reader, setting, book, watched, look, at, now)
    next_poll, next_look = (None, None) if at is not None else await _next_look(reader, config.poll, watched, look)
    return Explanation(
        job=job,
        at=at or now,
        past=at is not None,
        look=look,
        rules=tuple([await teller.account(one) for one in rules]),
        asked_at=look.principal.asked_at if at is None else None,
        next_poll=next_poll,
        next_look=next_look,
    )


async def _next_look(
    reader: Reader, poll: Poll, watched: Watched, look: Look
) -> tuple[datetime | None, LookReason | None]:
    """Give about when the job is looked at next, and why then; its service principal is asked for all its jobs together."""
    latest, pace = look.closed.lastPollAt, Pace(interval=poll.interval, max_added_delay=poll.max_added_delay)
    if latest is None:
        return None, None
    if not pace.max_added_delay:
        return latest + pace.interval, None
    key, asked = look.principal.principal.id, look.principal.asked_at or latest
    jobs = await reader.jobs(watched.key, [key])
    alerts = await reader.alerts_of(watched.key, [key])
    next_look = look_at_principal(jobs, alerts, asked=asked, answered=not look.reading.frozen, pace=pace)
    return max(next_look.at, latest + pace.interval), next_look.reason


def _chosen(book: RuleBook, name: str | None) -> tuple[Rule, ...]:
    if name is None:
        return tuple(rule for rule in book.rules if rule.scope is Scope.JOB)
    rule = book.named(name)
    if rule is None:
        raise UsageError(f"no rule {name!r}; {did_you_mean(name, [known.name for known in book.rules])}")
    if rule.scope is Scope.ALERTD:
        raise UsageError(f"{name} is about alertd itself, not about a job: see `alertd alerts`")
    return (rule,)


@attrs.frozen(kw_only=True)
class _Teller:
    """Gives accounts of rules on one job. moment: null for the present."""

    reader: Reader
    book: RuleBook
    watched: Watched
    look: Look
    moment: datetime | None
    scene: Scene
    log: tuple[LogEntry, ...]

    @classmethod
    async def read(
        cls,
        reader: Reader,
        setting: Setting,
        book: RuleBook,
        watched: Watched,
        look: Look,
        moment: datetime | None,
        now: datetime,
    ) -> _Teller:
        scene = Scene(
            now=now,
            routing=setting.routing,
            firing=await reader.firing_alerts(),
            silences=await reader.silences(ending_after=now),
            groups={group.key: group for group in await reader.groups()},
            conversations=await reader.conversations(),
        )
        log = await reader.log() if moment is not None else ()
        return cls(
            reader=reader,
            book=book,
            watched=watched,
            look=look,
            moment=moment,
            scene=scene,
            log=tuple(entry for entry in log if moment is not None and entry.at <= moment),
        )

    async def account(self, written: Rule) -> RuleAccount:
        labels = self._labels(written.scope)
        rule = self.book.tuned(written, labels)
        identity = self._identity(rule)
        alert = await self._alert(identity) if self.moment is None else None
        standing = await self._standing(identity, alert)
        conditions = tuple(self._conditions(rule))
        told = await self._told(identity)
        return RuleAccount(
            rule=rule,
            scope=rule.scope,
            standing=standing,
            conditions=conditions,
            held=tuple(self._held(rule, alert, standing, conditions, labels)),
            told=told,
            ledger=() if self.moment else self._ledger(identity),
            coming=tuple(later(alert, self.scene)) if alert is not None and alert.state is State.FIRING else (),
            next_tick=self._next_tick(alert),
        )

    def _labels(self, scope: Scope) -> Mapping[str, str]:
        if scope is Scope.TENANT:
            return tenant_labels(self.watched)
        return job_labels(self.watched, self.look.principal, self.look.record.job)

    def _identity(self, rule: Rule) -> Identity:
        if rule.scope is Scope.TENANT:
            return Identity(rule=rule.name, tenant_key=self.watched.key)
        return Identity(
            rule=rule.name,
            tenant_key=self.watched.key,
            service_principal_id=self.look.record.service_principal_id,
            job_id=self.look.record.job.id,
        )

    async def _alert(self, identity: Identity) -> Alert | None:
        alerts = await self.reader.alerts_of(identity.tenant_key, [identity.service_principal_id])
        return next((alert for alert in alerts if alert.identity == identity), None)

    async def _standing(self, identity: Identity, alert: Alert | None) -> Standing:
        transitions = await self.reader.transitions(fingerprint=identity.fingerprint)
        known = [one for one in transitions if self.moment is None or one.at <= self.moment]
        last: TransitionEntry | None = known[-1] if known else None
        if alert is None:
            if last is None:
                return Standing(state=State.INACTIVE)
            return Standing(state=last.after, since=last.at, episode=last.episode, ended=last.detail)
        began = {State.FIRING: alert.startsAt, State.RESOLVED: alert.endsAt}.get(alert.state, alert.activeSince)
        return Standing(
            state=alert.state,
            since=began or alert.activeSince,
            episode=alert.episode,
            ended=alert.ended.value if alert.ended else "",
        )

    def _conditions(self, rule: Rule) -> Iterator[Condition]:
        for key, expression in rule.expressions:
            subject = self._subject(rule.scope, key)
            yield Condition(
                key=key,
                text=expression.text,
                holds=expression.truth(subject, rule.params),
                tree=expression.trace(subject, rule.params),
            )

    def _subject(self, scope: Scope, key: str) -> Subject:
        if scope is Scope.TENANT:
            closed = self.look.closed
            return Subject(now=closed.lastPollAt or self.look.at, tenant=self.watched.view(closed))
        return self.look.event_subject if key == "event" else self.look.subject

    def _held(
        self,
        rule: Rule,
        alert: Alert | None,
        standing: Standing,
        conditions: tuple[Condition, ...],
        labels: Mapping[str, str],
    ) -> Iterator[Held]:
        yield from of_condition(rule, alert, standing, conditions, self.look.reading)
        if standing.state is not State.FIRING:
            return
        if alert is not None:
            yield from of_message(alert, self.scene)
            for talk in self._knowing(alert.fingerprint):
                yield from of_reminder(talk, self.scene)
        else:
            carried = {
                **self.watched.labels,
                **rule.labels,
                **labels,
                "alertname": rule.name,
                "severity": rule.severity,
            }
            yield from of_decision(self.log, self.scene.routing.groups_of(carried))

    async def _told(self, identity: Identity) -> tuple[Message, ...]:
        log = await self.reader.log(fingerprint=identity.fingerprint)
        said = [entry for entry in log if entry.reason and (self.moment is None or entry.at <= self.moment)]
        return tuple([await self._message(entry) for entry in said])

    async def _message(self, entry: LogEntry) -> Message:
        delivery = await self.reader.delivery(entry.delivery_id) if entry.delivery_id else None
        message = Message(
            decided_at=entry.at,
            integration_id=entry.integration_id,
            reason=str(entry.reason),
            delivery_id=entry.delivery_id,
        )
        if delivery is None:
            return message
        if self.moment is not None and (delivery.ended_at is None or delivery.ended_at > self.moment):
            return attrs.evolve(message, state="under way")
        return attrs.evolve(message, state=str(delivery.state), ended_at=delivery.ended_at, error=delivery.error)

    def _ledger(self, identity: Identity) -> tuple[Knows, ...]:
        fingerprint = identity.fingerprint
        return tuple(
            Knows(
                integration_id=talk.integration_id,
                at=line.at,
                episode=line.episode,
                reminder_at=reminder_at(talk, self.scene),
            )
            for talk in self._knowing(fingerprint)
            for line in talk.told
            if line.fingerprint == fingerprint
        )

    def _knowing(self, fingerprint: str) -> Iterator[Conversation]:
        """Give the conversations in which it was told that an alert fires."""
        return (talk for talk in self.scene.conversations if any(line.fingerprint == fingerprint for line in talk.told))

    def _next_tick(self, alert: Alert | None) -> datetime | None:
        if alert is None:
            return None
        keys: Iterable[str] = self.scene.routing.groups_of(alert.labels)
        return min((self.scene.groups[key].due_at for key in keys if key in self.scene.groups), default=None)
