"""Common causes: many alerts that begin within a short time and agree in something become one, the parent, that lists them. Pure.

    nothing           at_least children began to fire within `within` of each other      the parent fires
    it fires          further children that agree begin to fire                          they join it, and it is told anew
    it fires          fewer than two of its children still fire                          it ends; what still fires is told by itself again

Children of a parent are the alerts that agree, fire, and began no earlier than the first of those that made it fire: an alert that had been
told long before goes its own way. While a parent fires it inhibits its children. A parent is an alert like any other and never a child.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from alertd.alerts.judgement import Move
from alertd.alerts.lifecycle import end
from alertd.model.alert import Alert, Child, Ended, Event, Evidence, Identity, State
from alertd.notify.matchers import Matcher, Operator, all_match
from alertd.render.remedies import error_code
from alertd.render.wording import subject_name

TEMPLATE = "common_cause"
ERROR_CODE = "error_code"  # agrees although it is no label: the code of the error that matters now
STILL_MANY = 2  # so many children keep a parent firing
LISTED_MAX = 50  # children that a parent names; all are counted
_TENANT = frozenset({"tenant", "tenant_id"})
_OWN = frozenset({"alertname", "severity", "job_id", "service_principal", "service_principal_id", "template_id"})
# An end that is no all-clear says so: the first of these that applies to a last child is the parent's.
_ENDS = (Ended.GONE, Ended.NOT_WATCHED, Ended.RULE_REMOVED)

Annotate = Callable[[Mapping[str, str], Evidence], Mapping[str, str]]
Key = tuple[str, str]  # tenant key, and what the children agree in


@attrs.frozen(kw_only=True)
class CommonCause:
    """What makes many alerts one. It is an inhibit rule, too: the parent over its children.

    alert: the parent's name. equal: labels on which the children agree, or `error_code`. annotate: renders the parent's annotations.
    """

    alert: str
    matchers: tuple[Matcher, ...]
    equal: tuple[str, ...] = ("tenant",)
    within: timedelta = timedelta(minutes=10)
    at_least: int = 5
    severity: str = "critical"
    labels: Mapping[str, str] = attrs.field(factory=dict)
    annotate: Annotate = attrs.field(default=lambda _labels, _evidence: {}, eq=False)

    @property
    def source_matchers(self) -> tuple[Matcher, ...]:
        """What the parent looks like."""
        return (Matcher("alertname", Operator.EQUAL, self.alert),)

    @property
    def per_tenant(self) -> bool:
        """Whether all children of a parent are of one tenant."""
        return bool(_TENANT.intersection(self.equal))

    def concerns(self, alert: Alert) -> bool:
        """Whether an alert may be a child, were it to fire."""
        return not alert.identity.cause and all_match(self.matchers, alert.labels)

    def key(self, alert: Alert) -> Key | None:
        """Give what a firing alert agrees in with others; None where it cannot be a child."""
        if alert.state is not State.FIRING or alert.startsAt is None or not self.concerns(alert):
            return None
        values = {name: _value(alert, name) for name in self.equal if name not in _TENANT}
        if values.get(ERROR_CODE) == "":
            return None
        return alert.identity.tenant_key if self.per_tenant else "", _text(values)

    def owns(self, parent: Alert) -> bool:
        """Whether this cause, as it is now, made an alert."""
        values = {name: parent.labels.get(name, "") for name in self.equal if name not in _TENANT}
        named = parent.name == self.alert and parent.identity.cause == _text(values)
        return named and bool(parent.identity.tenant_key) is self.per_tenant

    def inhibits(self, source: Alert, target: Alert | Event) -> bool:
        """Whether `source`, which fires, is the parent of `target`."""
        return isinstance(target, Alert) and self.owns(source) and self._is_child(target, source)

    def _is_child(self, alert: Alert, parent: Alert) -> bool:
        began = alert.startsAt is not None and alert.startsAt >= parent.activeSince
        return began and self.key(alert) == (parent.identity.tenant_key, parent.identity.cause)

    def children(self, parent: Alert, alerts: Iterable[Alert]) -> tuple[Alert, ...]:
        """Give a firing parent's children."""
        return tuple(alert for alert in alerts if self._is_child(alert, parent))


def _value(alert: Alert, name: str) -> str:
    return _code(alert) if name == ERROR_CODE else alert.labels.get(name, "")


def _code(alert: Alert) -> str:
    """Give the code of the error that matters now; empty where there is none."""
    return error_code(alert.evidence.status) or ""


def _text(values: Mapping[str, str]) -> str:
    """Write what is agreed in; never empty, for that is how a parent is known."""
    return "{" + ", ".join(f'{name}="{values[name]}"' for name in sorted(values)) + "}"


def gathered(
    causes: Iterable[CommonCause], alerts: Iterable[Alert], now: datetime, moved: Iterable[Move] = ()
) -> Iterator[Move]:
    """Say what becomes of the parents.

    alerts: as they are after `moved`, every one that fires or is a parent. What moved tells how the last children ended.
    """
    known = tuple(alerts)
    ended = tuple(move.after for move in moved if move.after is not None and move.after.ended is not None)
    for cause in causes:
        parents = {(one.identity.tenant_key, one.identity.cause): one for one in known if cause.owns(one)}
        agreeing: dict[Key, list[Alert]] = defaultdict(list)
        for alert in known:
            key = cause.key(alert)
            if key is not None:
                agreeing[key].append(alert)
        for key in sorted(agreeing.keys() | parents.keys()):
            before = parents.get(key)
            after = _judged(cause, key, before, sorted(agreeing.get(key, ()), key=_began), ended, now)
            if after is not before:
                yield Move(before, after)


def _judged(
    cause: CommonCause,
    key: Key,
    parent: Alert | None,
    alerts: Sequence[Alert],
    ended: Sequence[Alert],
    now: datetime,
) -> Alert | None:
    if parent is None or parent.state is not State.FIRING:
        children = _burst(cause, alerts)
        return _fired(cause, key, parent, children, now) if children else parent
    children = cause.children(parent, alerts)
    if len(children) < STILL_MANY:
        return end(parent, _how(cause, ended), now)
    return _updated(cause, parent, children, now)


def _began(alert: Alert) -> tuple[datetime, str]:
    return alert.startsAt or alert.activeSince, alert.fingerprint


def _burst(cause: CommonCause, alerts: Sequence[Alert]) -> Sequence[Alert]:
    """Give the alerts from the first one on that has enough others within its time; none if there is no such one. In order of beginning."""
    for place, last in enumerate(alerts[cause.at_least - 1 :]):
        if _began(last)[0] - _began(alerts[place])[0] <= cause.within:
            return alerts[place:]
    return ()


def _how(cause: CommonCause, ended: Sequence[Alert]) -> Ended:
    ways = {alert.ended for alert in ended if cause.concerns(alert)}
    return next((way for way in _ENDS if way in ways), Ended.RESOLVED)


def _fired(cause: CommonCause, key: Key, before: Alert | None, children: Sequence[Alert], now: datetime) -> Alert:
    tenant_key, agreed = key
    fresh = Alert(
        identity=Identity(rule=cause.alert, tenant_key=tenant_key, cause=agreed),
        state=State.FIRING,
        severity=cause.severity,
        labels=_labels(cause, children),
        template=TEMPLATE,
        episode=before.episode + 1 if before is not None else 1,
        inherits_from=before.inherits_from if before is not None else 1,
        activeSince=_began(children[0])[0],
        startsAt=now,
        evidence=_evidence(children, now),
    )
    return _worded(cause, fresh)


def _labels(cause: CommonCause, children: Sequence[Alert]) -> Mapping[str, str]:
    """Give what routes a parent: what its children agree in and share beyond what names a job, then the cause's own."""
    shared = set(children[0].labels.items()).intersection(*(child.labels.items() for child in children[1:]))
    common = {name: value for name, value in shared if name not in _OWN and (cause.per_tenant or name not in _TENANT)}
    agreed = {name: _value(children[0], name) for name in cause.equal}
    return {
        **dict(sorted(common.items())),
        **cause.labels,
        **agreed,
        "alertname": cause.alert,
        "severity": cause.severity,
    }


def _updated(cause: CommonCause, parent: Alert, children: Sequence[Alert], now: datetime) -> Alert:
    """Keep a parent up to date; with children that have joined it is a new episode, so that nobody misses them."""
    told_at = parent.evidence.observed_to or parent.activeSince
    joined = any(_began(child)[0] > told_at for child in children)
    fresh = _evidence(children, now if joined else told_at)
    if joined:
        parent = attrs.evolve(parent, episode=parent.episode + 1, inherits_from=parent.episode + 1)
    elif fresh == parent.evidence:
        return parent
    return _worded(cause, attrs.evolve(parent, evidence=fresh))


def _worded(cause: CommonCause, parent: Alert) -> Alert:
    return attrs.evolve(parent, annotations=cause.annotate(parent.labels, parent.evidence))


def _evidence(children: Sequence[Alert], now: datetime) -> Evidence:
    """Give the children, the latest first; where one code explains them all, the status of one says what to do."""
    latest = sorted(children, key=_began, reverse=True)
    first, codes = latest[-1], {_code(child) for child in children}
    status = first.evidence.status if len(codes) == 1 and "" not in codes else None
    return Evidence(
        status=attrs.evolve(status, troubleshootingUrl=None) if status is not None else None,
        observed_from=_began(first)[0],
        observed_to=now,
        children=tuple(_child(child) for child in latest[:LISTED_MAX]),
        children_total=len(children),
    )


def _child(alert: Alert) -> Child:
    job = alert.evidence.job
    return Child(
        fingerprint=alert.fingerprint,
        name=alert.name,
        title=subject_name(alert.labels, alert.evidence),
        tenant=alert.labels.get("tenant", ""),
        startsAt=_began(alert)[0],
        error_code=_code(alert),
        url=job.url if job is not None else None,
    )
