"""Messages as they would go out: of what fires now, or of a sample."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import attrs

from alertd.app import App
from alertd.config import Config
from alertd.config.route_tree import route_tree
from alertd.errors import StoreError, UsageError
from alertd.model.alert import Alert, State
from alertd.model.notification import Notification, Reason
from alertd.model.suggestion import did_you_mean
from alertd.model.views import Subject
from alertd.notify.channels.port import Channel
from alertd.notify.routes import Route
from alertd.render import samples
from alertd.store.opening import open_store_read_only


async def previews(config: Config, wanted: str, receiver: str, kind: str | None) -> list[tuple[str, str]]:
    """Give (integration id, body) for each integration of the receiver; `wanted` is a rule's name or a fingerprint.

    Raises UsageError where there is no such receiver, integration, alert or rule.
    """
    app = App(config)
    await app.connect()
    try:
        channels = _channels(app, receiver, kind)
        alerts = await _firing(config, wanted) or (_sample(app, wanted),)
        route = _route(config, alerts[0], receiver)
        return [(channel.integration.id, _body(channel, alerts, route, app.now(), config)) for channel in channels]
    finally:
        await app.close()


def _route(config: Config, alert: Alert, receiver: str) -> Route:
    """Give the route on which the receiver hears of the alert; the root where it does not."""
    root = route_tree(config.route, config.time_intervals)
    return next((route for route in root.matching(alert.labels) if route.receiver == receiver), root)


def _channels(app: App, receiver: str, kind: str | None) -> list[Channel]:
    names = [one.name for one in app.config.receivers]
    if receiver not in names:
        raise UsageError(f"no receiver {receiver!r}; {did_you_mean(receiver, names)}")
    theirs = [channel for channel in app.channels() if channel.integration.receiver == receiver]
    chosen = [channel for channel in theirs if kind in {None, channel.integration.kind}]
    if not chosen:
        kinds = ", ".join(sorted({channel.integration.kind for channel in theirs})) or "none"
        raise UsageError(f"receiver {receiver!r} has no integration of kind {kind!r}; it has {kinds}")
    return chosen


async def _firing(config: Config, wanted: str) -> tuple[Alert, ...]:
    try:
        store = await open_store_read_only(config.store.url, Path.cwd())
    except StoreError:
        return ()  # nothing has been polled yet: a sample does
    try:
        async with store.reading() as reader:
            alerts = await reader.firing_alerts()
    finally:
        await store.close()
    return tuple(alert for alert in alerts if wanted in {alert.name, alert.fingerprint})


def _sample(app: App, wanted: str) -> Alert:
    rule = app.book.named(wanted)
    if rule is None:
        cure = did_you_mean(wanted, [known.name for known in app.book.rules])
        raise UsageError(f"no alert that fires and no rule is called {wanted!r}; {cure}")
    alert = samples.alert(rule.name, severity=rule.severity, template=rule.template)
    return attrs.evolve(alert, state=State.FIRING, annotations=app.book.annotate(rule, _subject(alert), alert.labels))


def _subject(alert: Alert) -> Subject:
    seen = alert.evidence
    return Subject(
        now=seen.observed_to or alert.activeSince,
        status=seen.status,
        previous=seen.previous,
        job=seen.job,
        tenant=seen.tenant,
    )


def _body(channel: Channel, alerts: tuple[Alert, ...], route: Route, now: datetime, config: Config) -> str:
    notification = Notification(
        key="preview-1",
        conversation="preview",
        sequence=1,
        reason=Reason.FIRST_NOTIFICATION,
        receiver=channel.integration.receiver,
        group_key=route.group_key(alerts[0].labels),
        group_labels=route.group_labels(alerts[0].labels),
        firing=alerts,
        at=now,
        external_url=config.external_url,
    )
    return channel.render(notification).body.decode("utf-8", "replace")
