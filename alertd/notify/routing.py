"""Routing as configured: who hears of which group, in which manner, and what is held back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import attrs

from alertd.alerts.common_cause import CommonCause
from alertd.model.alert import Alert, Event
from alertd.model.notification import Reason, Withheld
from alertd.notify.channels.port import Integration
from alertd.notify.decide import Manner
from alertd.notify.fallback import chain_of
from alertd.notify.flush import Withhold
from alertd.notify.inhibition import InhibitRule, Inhibits, inhibitor
from alertd.notify.listener import Listener
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.silences import Silence, silencer
from alertd.store.values import Conversation, Group


@attrs.frozen(kw_only=True)
class Routing:
    """The route tree, the integrations of every receiver by its name, the inhibit rules, and what makes many alerts one.

    fallbacks: by the name of a receiver, that of the one told in its place.
    silence_warning: how long before its end a silence is spoken of; null: never.
    round_interval: how often jobs are looked at, and so how long after an attempt its outcome is seen at the latest.
    """

    root: Route
    receivers: Mapping[str, tuple[Integration, ...]]
    fallbacks: Mapping[str, str] = attrs.field(factory=dict)
    inhibit_rules: tuple[InhibitRule, ...] = ()
    common_causes: tuple[CommonCause, ...] = ()
    silence_warning: timedelta | None = None
    round_interval: timedelta = timedelta(minutes=5)

    def groups_of(self, labels: Mapping[str, str]) -> Mapping[str, Route]:
        """Give the groups of an alert with these labels, by key."""
        return {route.group_key(labels): route for route in self.root.matching(labels)}

    def route(self, route_id: str) -> Route | None:
        """Give a route by its id; None where a reload has removed it."""
        return next((route for route in self.root.every() if route.id == route_id), None)

    def pace(self, route_id: str) -> Pace:
        """Give a route's pace; the root's where it is not there any more, for what is still to be said."""
        return (self.route(route_id) or self.root).pace

    @property
    def inhibitors(self) -> tuple[Inhibits, ...]:
        """Everything by which one alert holds others back."""
        return (*self.inhibit_rules, *self.common_causes)

    @property
    def longest_wait(self) -> timedelta:
        """The longest that any new group waits for its first flush."""
        return max(route.pace.group_wait for route in self.root.every())

    def integration(self, integration_id: str) -> Integration | None:
        """Give an integration by its id; None where a reload has removed it."""
        everyone = (integration for integrations in self.receivers.values() for integration in integrations)
        return next((integration for integration in everyone if integration.id == integration_id), None)

    def listeners(self, route_id: str, conversations: Iterable[Conversation]) -> tuple[Listener, ...]:
        """Give who hears of a group: its receiver, those that join later, and those that were told and are not named any more."""
        route, talks = self.route(route_id), {talk.integration_id: talk for talk in conversations}
        named = tuple(self._named(route)) if route else ()
        ids = {listener.integration_id for listener in named}
        others = (self.integration(integration_id) for integration_id in talks if integration_id not in ids)
        pace = self.pace(route_id)
        unnamed = [self._listener(integration, pace) for integration in others if integration is not None]
        everyone = (*named, *(attrs.evolve(listener, leaving=True) for listener in unnamed))
        return tuple(self._standing_in(listener, route, talks) for listener in everyone)

    def _standing_in(self, listener: Listener, route: Route | None, talks: Mapping[str, Conversation]) -> Listener:
        """Give a listener as it is while it is told in the place of others; as long as they fail, it is reminded as they would be."""
        talk = talks.get(listener.integration_id)
        absent = [one for one in talk.stands_in_for if self._falls_back(one, listener.receiver)] if talk else []
        if not absent or not (listener.late or listener.leaving):
            return listener
        failing = [self.integration(one) for one in absent if one in talks and talks[one].given_up]
        receivers = {one.receiver for one in failing if one is not None}
        steps = [step for step in route.steps if step.tells_again and step.receiver in receivers] if route else []
        standing = listener if receivers or listener.late else listener.without_repeats()
        return attrs.evolve(
            standing,
            manner=attrs.evolve(standing.manner, announced_as=Reason.FALLBACK),
            late=True,
            leaving=False,
            steps=(*standing.steps, *steps),
        )

    def _falls_back(self, integration_id: str, receiver: str) -> bool:
        integration = self.integration(integration_id)
        return integration is not None and self.fallbacks.get(integration.receiver) == receiver

    def takes_over(self, talk: Conversation) -> tuple[Integration, ...]:
        """Give who is told in the place of a conversation's integration once that has failed; none that hears of the group anyway."""
        integration, route = self.integration(talk.integration_id), self.route(talk.route_id)
        fallback = self.fallbacks.get(integration.receiver) if integration is not None else None
        if fallback is None or (route is not None and route.receiver == fallback):
            return ()
        return self.receivers.get(fallback, ())

    def _named(self, route: Route) -> Iterator[Listener]:
        for receiver in route.receivers:
            steps = tuple(step for step in route.steps if step.receiver == receiver)
            for integration in self.receivers.get(receiver, ()):
                late = receiver != route.receiver
                summed_up = route.mute_summary and not late and not integration.keeps_alerts
                only_again = late and all(step.tells_again for step in steps)
                listener = self._listener(integration, route.pace)
                named = listener.without_repeats() if only_again else listener
                yield attrs.evolve(named, late=late, steps=steps, summed_up=summed_up)

    def hears(self, route: Route, integration_id: str) -> bool:
        """Whether an integration hears of a route's alerts, from the start, later or in another's place."""
        fallbacks = (fallback for _, fallback in chain_of(route.receivers, self.fallbacks))
        everyone = (one for receiver in (*route.receivers, *fallbacks) for one in self.receivers.get(receiver, ()))
        return any(one.id == integration_id for one in everyone)

    def _listener(self, integration: Integration, pace: Pace) -> Listener:
        manner = Manner(
            integration_id=integration.id,
            send_resolved=integration.send_resolved,
            closes_silently=integration.closes_silently,
            acknowledges=integration.acknowledges,
            repeat_interval=pace.repeat_interval,
            repeat_backoff=pace.repeat_backoff,
            attempt_grace=self.round_interval if pace.repeat_after_attempt else None,
        )
        if integration.refresh_interval:  # a machine that forgets is not reminded but kept up to date
            refreshed = integration.refresh_interval
            manner = attrs.evolve(manner, repeat_interval=refreshed, repeat_backoff=None, attempt_grace=None)
        refreshes = integration.refresh_interval is not None
        return Listener(receiver=integration.receiver, manner=manner, refreshes=refreshes)

    def sums_up(self, group: Group, now: datetime) -> bool:
        """Whether a muted time has ended that held something back in this group, and its route wants one message about that."""
        route = self.route(group.route_id)
        return group.muted and route is not None and route.mute_summary and not route.muted(now)

    def withhold(self, route_id: str, firing: Iterable[Alert], silences: Iterable[Silence], now: datetime) -> Withhold:
        """Give the judge of what a route holds back now, with every alert that fires and every silence at hand.

        What is inhibited and silenced counts as inhibited: its cause is being told elsewhere. What is muted besides counts as that other one:
        it is not to be told at the end of the muted time either.
        """
        rules = self.inhibitors
        sources = tuple(alert for alert in firing if any(_may_inhibit(rule, alert) for rule in rules))
        in_force = tuple(silence for silence in silences if silence.in_force(now))
        route = self.route(route_id)
        muted = Withheld.MUTED if route is not None and route.muted(now) else None

        def judge(item: Alert | Event) -> Withheld | None:
            if inhibitor(item, sources, rules):
                return Withheld.INHIBITED
            return Withheld.SILENCED if silencer(item, in_force, now) else muted

        return judge


def _may_inhibit(rule: Inhibits, alert: Alert) -> bool:
    return all(matcher.matches(alert.labels) for matcher in rule.source_matchers)
