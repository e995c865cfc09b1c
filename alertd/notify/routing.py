"""Routing as configured: who hears of which group, in which manner, and what is held back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import attrs

from alertd.model.alert import Alert, Event
from alertd.model.notification import Withheld
from alertd.notify.channels.port import Integration
from alertd.notify.decide import Manner
from alertd.notify.flush import Withhold
from alertd.notify.group import Pace
from alertd.notify.inhibition import InhibitRule, inhibitor
from alertd.notify.listener import Listener
from alertd.notify.routes import Route
from alertd.notify.silences import Silence, silencer
from alertd.store.values import Conversation


@attrs.frozen(kw_only=True)
class Routing:
    """The route tree, the integrations of every receiver by its name, and the inhibit rules.

    silence_warning: how long before its end a silence is spoken of; null: never.
    round_interval: how often jobs are looked at, and so how long after an attempt its outcome is seen at the latest.
    """

    root: Route
    receivers: Mapping[str, tuple[Integration, ...]]
    inhibit_rules: tuple[InhibitRule, ...] = ()
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
    def longest_wait(self) -> timedelta:
        """The longest that any new group waits for its first flush."""
        return max(route.pace.group_wait for route in self.root.every())

    def integration(self, integration_id: str) -> Integration | None:
        """Give an integration by its id; None where a reload has removed it."""
        everyone = (integration for integrations in self.receivers.values() for integration in integrations)
        return next((integration for integration in everyone if integration.id == integration_id), None)

    def listeners(self, route_id: str, conversations: Iterable[Conversation]) -> tuple[Listener, ...]:
        """Give who hears of a group: its receiver, those that join later, and at last those that were told and are not named any more."""
        route = self.route(route_id)
        named = tuple(self._named(route)) if route else ()
        ids = {listener.integration_id for listener in named}
        left = (self.integration(talk.integration_id) for talk in conversations if talk.integration_id not in ids)
        pace = self.pace(route_id)
        leaving = (self._listener(integration, pace) for integration in left if integration is not None)
        return (*named, *(attrs.evolve(listener, leaving=True) for listener in leaving))

    def _named(self, route: Route) -> Iterator[Listener]:
        for receiver in route.receivers:
            steps = tuple(step for step in route.steps if step.receiver == receiver)
            for integration in self.receivers.get(receiver, ()):
                listener = self._listener(integration, route.pace)
                yield attrs.evolve(listener, late=receiver != route.receiver, steps=steps)

    def hears(self, route: Route, integration_id: str) -> bool:
        """Whether an integration hears of a route's alerts, from the start or later."""
        everyone = (one for receiver in route.receivers for one in self.receivers.get(receiver, ()))
        return any(integration.id == integration_id for integration in everyone)

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
        return Listener(receiver=integration.receiver, manner=manner)

    def withhold(self, route_id: str, firing: Iterable[Alert], silences: Iterable[Silence], now: datetime) -> Withhold:
        """Give the judge of what a route holds back now, with every alert that fires and every silence at hand.

        What is inhibited and silenced counts as inhibited: its cause is being told elsewhere. What is muted besides counts as that other one:
        it is not to be told at the end of the muted time either.
        """
        sources = tuple(alert for alert in firing if any(_may_inhibit(rule, alert) for rule in self.inhibit_rules))
        in_force = tuple(silence for silence in silences if silence.in_force(now))
        route = self.route(route_id)
        muted = Withheld.MUTED if route is not None and route.muted(now) else None

        def judge(item: Alert | Event) -> Withheld | None:
            if inhibitor(item, sources, self.inhibit_rules):
                return Withheld.INHIBITED
            return Withheld.SILENCED if silencer(item, in_force, now) else muted

        return judge


def _may_inhibit(rule: InhibitRule, alert: Alert) -> bool:
    return all(matcher.matches(alert.labels) for matcher in rule.source_matchers)
