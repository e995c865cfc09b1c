"""What holds an alert or its message back, now or at a moment of the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from alertd.explanation.account import Coming, Condition, Held, Standing
from alertd.explanation.look import Reading
from alertd.model.alert import Alert, State
from alertd.model.duration import format_duration
from alertd.model.notification import Withheld
from alertd.notify.inhibition import inhibitor
from alertd.notify.listener import Taken
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.notify.silences import Silence, silencer
from alertd.notify.steps import Step
from alertd.rehearsal.job_name import named_in
from alertd.rules.rule import Rule
from alertd.store.values import Conversation, Group, LogEntry


@attrs.frozen(kw_only=True)
class Scene:
    """What stands around alerts at a moment: all that fire, the silences, the groups by key."""

    now: datetime
    routing: Routing
    firing: tuple[Alert, ...]
    silences: tuple[Silence, ...]
    groups: Mapping[str, Group]
    conversations: tuple[Conversation, ...] = ()

    def talks_in(self, key: str) -> tuple[Conversation, ...]:
        """Give the conversations of a group."""
        return tuple(talk for talk in self.conversations if talk.group_key == key)


def of_condition(
    rule: Rule, alert: Alert | None, standing: Standing, conditions: Sequence[Condition], reading: Reading
) -> Iterator[Held]:
    """Say what keeps an alert from firing or from ending."""
    if not rule.enabled:
        yield Held(by="disabled", detail="the rule is switched off for this job")
    if reading.frozen:
        since = f"{reading.since:%Y-%m-%d %H:%M:%SZ}" if reading.since else "the beginning"
        yield Held(
            by="frozen", detail=f"the job cannot be read since {since} ({reading.outcome}): nothing is evaluated"
        )
    if standing.state is State.BASELINE:
        yield Held(by="baseline", detail="true at first sight, told once it has been false")
    if standing.state is State.PENDING:
        yield _pending(rule, alert, standing)
    if standing.state is State.FIRING:
        yield from _firing(rule, alert, conditions)


def _pending(rule: Rule, alert: Alert | None, standing: Standing) -> Held:
    since = alert.activeSince if alert else standing.since
    until = since + rule.hold_duration if since else None
    return Held(by="for", detail=f"must hold for {format_duration(rule.hold_duration)}", until=until)


def _firing(rule: Rule, alert: Alert | None, conditions: Sequence[Condition]) -> Iterator[Held]:
    holds = {condition.key: condition.holds for condition in conditions}
    if holds.get("when", True):
        return
    if not holds.get("clear_when", True):
        yield Held(
            by="clear_when", detail="its condition does not hold any more, but what would resolve it does not either"
        )
    elif rule.keep_firing_for:
        since = alert.clearSince if alert else None
        detail = f"stays for {format_duration(rule.keep_firing_for)} after it has cleared"
        yield Held(by="keep_firing_for", detail=detail, until=since + rule.keep_firing_for if since else None)


def of_message(alert: Alert, scene: Scene) -> Iterator[Held]:
    """Say what keeps the message about a firing alert from going out now."""
    source = inhibitor(alert, scene.firing, scene.routing.inhibitors)
    if source is not None:
        about = named_in(source.labels)
        yield Held(by="inhibited", detail=f"{source.name} fires{f' ({about})' if about else ''}")
    silence = silencer(alert, scene.silences, scene.now)
    if silence is not None:
        detail = f"{silence.created_by}: {silence.comment} ({silence.id})"
        yield Held(by=Withheld.SILENCED.value, detail=detail, until=silence.ends_at)
    routes = scene.routing.groups_of(alert.labels)
    if not routes:
        yield Held(by="not_routed", detail="no route takes it")
    for key, route in routes.items():
        if route.muted(scene.now):
            after = "; a summary tells of it afterwards" if route.mute_summary else ""
            yield Held(by="muted", detail=f"the route to {route.receiver} is muted at this time{after}")
        yield from _of_group(scene.groups.get(key), route.receiver, scene.now)
        taken = Taken.by(scene.talks_in(key))
        for step in _ahead(alert, key, route, scene):
            if step.stops_when_acknowledged and taken.has(alert):
                yield Held(by="acknowledged", detail=f"no {step.reason} to {step.receiver}")


def later(alert: Alert, scene: Scene) -> Iterator[Coming]:
    """Say who hears of a firing alert later, and when."""
    for key, route in scene.routing.groups_of(alert.labels).items():
        taken = Taken.by(scene.talks_in(key))
        for step in _ahead(alert, key, route, scene):
            instant = step.instant(alert)
            if instant is None or (step.stops_when_acknowledged and taken.has(alert)):
                continue
            unless = "somebody acknowledges it" if step.stops_when_acknowledged else ""
            yield Coming(receiver=step.receiver, reason=step.reason.value, at=instant, unless=unless)


def _ahead(alert: Alert, key: str, route: Route, scene: Scene) -> Iterator[Step]:
    """Give the steps that are still to be told: to receivers that do not know of the alert yet, and reminders to those that do."""
    told = {talk.receiver for talk in scene.talks_in(key) if talk.tells_of(alert.fingerprint)}
    for step in route.steps:
        instant = step.instant(alert)
        lies_ahead = instant is not None and instant > scene.now
        if lies_ahead if step.tells_again else step.receiver not in told:
            yield step


def _of_group(group: Group | None, receiver: str, now: datetime) -> Iterator[Held]:
    if group is None or not group.dirty or group.due_at <= now:
        return
    if group.flushed_at is None:
        yield Held(by="group_wait", detail=f"a new group of {receiver} waits for more alerts", until=group.due_at)
    else:
        yield Held(by="group_interval", detail=f"the group of {receiver} is told at its ticks", until=group.due_at)


def of_decision(decisions: Iterable[LogEntry], group_keys: Iterable[str]) -> Iterator[Held]:
    """Say what was decided last for the alert's groups, where that was to keep silent: all that the past still shows."""
    latest: dict[tuple[str, str], LogEntry] = {}
    keys = set(group_keys)
    for entry in decisions:
        if entry.group_key in keys:
            latest[entry.group_key, entry.integration_id] = entry
    for entry in latest.values():
        if entry.withheld is not None:
            whom = entry.integration_id or entry.group_key
            yield Held(by=entry.withheld.value, detail=f"{whom}, decided {entry.at:%Y-%m-%d %H:%M:%SZ}")
