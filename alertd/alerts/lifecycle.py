"""The life of one alert.

    inactive -> pending -> firing -> resolved (-> inactive)          `advance`: what an evaluation makes of it
                   ^          |
                   +----------+   `for` was raised by a reload: no message; if it then ends, the end is told all the same
    baseline -> inactive          true at first sight, and the configuration says not to tell

A frozen alert is one that is simply not advanced: nothing runs out while its reading fails, and at the next good reading the wall time
of the outage counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from alertd.model.alert import Alert, Ended, Evidence, Identity, State


@attrs.frozen(kw_only=True)
class Conditions:
    """What a rule says at one evaluation, and what a new episode would carry.

    active: `when` holds. cleared: `when` does not hold, and `clear_when` does or there is none.
    baseline: this is first sight and the configuration says not to tell. new_series: quarantine was left and re-entered unseen, and the rule
    looks at quarantine. changed: the reading differs from the one before.
    """

    identity: Identity
    active: bool
    cleared: bool
    severity: str
    labels: Mapping[str, str]
    template: str | None = None
    hold_duration: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    evidence: Evidence = attrs.field(factory=Evidence)
    baseline: bool = False
    new_series: bool = False
    changed: bool = False


NEW_SERIES_NOTE = "The job left quarantine and re-entered it between two readings; this is a new series."


def advance(alert: Alert | None, conditions: Conditions, now: datetime) -> Alert | None:
    """Give the alert after one evaluation, or None where nothing is left to remember.

    The very same object comes back where nothing changed.
    """
    if alert is None or alert.state is State.RESOLVED:
        return _begin(alert, conditions, now) if conditions.active else alert
    if alert.state is State.BASELINE:
        return alert if conditions.active else _forget(alert)
    if alert.state is State.PENDING:
        return _wait(alert, conditions, now)
    return _burn(alert, conditions, now)


def end(alert: Alert, how: Ended, now: datetime, evidence: Evidence | None = None) -> Alert | None:
    """End an alert for a reason beyond its own condition: its job is gone, or nobody asks about it any more."""
    if alert.state is State.RESOLVED:
        return alert
    if not told_about(alert):
        return _forget(alert)
    return attrs.evolve(
        alert, state=State.RESOLVED, endsAt=now, ended=how, clearSince=None, evidence=evidence or alert.evidence
    )


def told_about(alert: Alert) -> bool:
    """Whether anybody may have been told that this alert fires: it fires now, or did until `for` was raised."""
    return alert.state is State.FIRING or demoted(alert)


def demoted(alert: Alert) -> bool:
    """Whether a raised `for` sent it back from firing to pending."""
    return alert.state is State.PENDING and alert.startsAt is not None and alert.ended is None


def _begin(ended: Alert | None, conditions: Conditions, now: datetime) -> Alert | None:
    """Start anew; an end that may still have to be told stays on the alert while it is pending."""
    alert = attrs.evolve(ended, state=State.PENDING, activeSince=now) if ended else _fresh(conditions, now)
    if conditions.baseline:
        return attrs.evolve(alert, state=State.BASELINE)
    return _wait(alert, conditions, now)


def _fresh(conditions: Conditions, now: datetime) -> Alert:
    return Alert(
        identity=conditions.identity,
        state=State.PENDING,
        severity=conditions.severity,
        labels=conditions.labels,
        template=conditions.template,
        activeSince=now,
        evidence=conditions.evidence,
    )


def _wait(alert: Alert, conditions: Conditions, now: datetime) -> Alert | None:
    if not conditions.active:
        if demoted(alert) and not conditions.cleared:
            return alert
        return end(alert, Ended.RESOLVED, now, conditions.evidence)
    if now - alert.activeSince < conditions.hold_duration:
        return alert
    return attrs.evolve(alert, state=State.FIRING) if demoted(alert) else _fire(alert, conditions, now)


def _fire(alert: Alert, conditions: Conditions, now: datetime) -> Alert:
    return attrs.evolve(
        alert,
        state=State.FIRING,
        episode=alert.episode + 1,
        severity=conditions.severity,
        labels=conditions.labels,
        template=conditions.template,
        startsAt=now,
        clearSince=None,
        endsAt=None,
        ended=None,
        evidence=conditions.evidence,
    )


def _burn(alert: Alert, conditions: Conditions, now: datetime) -> Alert | None:
    if not conditions.active:
        return _clear(alert, conditions, now)
    if conditions.new_series:
        return _renew(alert, conditions, now)
    if now - alert.activeSince < conditions.hold_duration:
        return attrs.evolve(alert, state=State.PENDING, clearSince=None)
    fresh = _seen(alert.evidence, conditions) if conditions.changed else alert.evidence
    if alert.clearSince is None and fresh == alert.evidence:
        return alert
    return attrs.evolve(alert, clearSince=None, evidence=fresh)


def _renew(alert: Alert, conditions: Conditions, now: datetime) -> Alert:
    """Begin a new episode of which nobody has been told, whatever was said of the one before."""
    renewed = _fire(alert, conditions, now)
    return attrs.evolve(
        renewed,
        inherits_from=renewed.episode,
        evidence=attrs.evolve(conditions.evidence, note=NEW_SERIES_NOTE),
    )


def _clear(alert: Alert, conditions: Conditions, now: datetime) -> Alert | None:
    if not conditions.cleared:
        return attrs.evolve(alert, clearSince=None) if alert.clearSince else alert
    since = alert.clearSince or now
    if now - since >= conditions.keep_firing_for:
        return end(alert, Ended.RESOLVED, now, conditions.evidence)
    return alert if alert.clearSince else attrs.evolve(alert, clearSince=since)


def _seen(begun: Evidence, conditions: Conditions) -> Evidence:
    """Keep what changed when the alert began, and show the subject as it is now."""
    return attrs.evolve(
        begun, status=conditions.evidence.status, job=conditions.evidence.job, tenant=conditions.evidence.tenant
    )


def _forget(alert: Alert) -> Alert | None:
    """Leave nothing behind, but for an earlier episode whose end may still have to be told."""
    return attrs.evolve(alert, state=State.RESOLVED) if alert.ended is not None else None
