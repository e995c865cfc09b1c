"""One rule against one subject: what becomes of its alert, or which event happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from alertd.alerts.book import RuleBook
from alertd.alerts.lifecycle import Conditions, advance, end
from alertd.model.alert import Alert, Ended, Event, Evidence, Identity, Scope, State
from alertd.model.value import value
from alertd.model.views import Subject
from alertd.rules.evaluation import Verdict, evaluate
from alertd.rules.rule import Rule

# A rule that looks at one of these speaks of a quarantine, so a new series is a new episode for it.
_QUARANTINE = ("status.code", "status.quarantine", "job.quarantinedSince", "job.disableAt")


@value(kw_only=True)
class Case:
    """A subject before the rules.

    subject_labels: labels that say who it is; a rule's own and the fixed ones are added. identity: with an empty rule name.
    alerts: its alerts by rule. sequence: the snapshot's number, for events. changed: the reading differs from the one before, or the job
    has appeared or gone. first_sight: there was none before. baseline: first sight is not told.
    """

    scope: Scope
    subject: Subject
    identity: Identity
    subject_labels: Mapping[str, str]
    evidence: Evidence
    alerts: Mapping[str, Alert] = attrs.field(factory=dict)
    sequence: int = 0
    changed: bool = False
    baseline: bool = False
    new_series: bool = False
    withheld_integrations: tuple[str, ...] = ()


@attrs.frozen
class Move:
    """An alert before and after; null on either side where there is none."""

    before: Alert | None
    after: Alert | None


@attrs.frozen
class Fault:
    """A rule that failed at run time all the same: its alerts stay as they were, and it is tried again next round."""

    rule: str
    error: str


def judge_states(case: Case, book: RuleBook) -> Iterator[Move | Fault]:
    """Ask every rule that fires and resolves; only what moved is given."""
    for written in book.states(case.scope):
        alert = case.alerts.get(written.name)
        rule = book.tuned(written, case.subject_labels)
        if not rule.enabled:
            yield from _switched_off(alert, case)
            continue
        verdict = evaluate(rule, case.subject, clearing=alert is not None)
        if verdict.error:
            yield Fault(rule.name, verdict.error)
        elif verdict.active or alert is not None:
            after = _advanced(rule, verdict, alert, case, book)
            if after is not alert:
                yield Move(alert, after)


def judge_events(case: Case, book: RuleBook) -> Iterator[Event | Fault]:
    """Ask every rule that tells moments."""
    for written in book.events(case.scope):
        rule = book.tuned(written, case.subject_labels)
        verdict = evaluate(rule, case.subject) if rule.enabled else Verdict()
        if verdict.error:
            yield Fault(rule.name, verdict.error)
        elif verdict.active:
            yield _event(rule, case, book)


def end_all(alerts: Iterable[Alert], ended: Iterable[Alert | None]) -> Iterator[Move]:
    """Pair alerts with what an end beyond their own condition made of them."""
    return (Move(before, after) for before, after in zip(alerts, ended, strict=True) if before is not after)


def _switched_off(alert: Alert | None, case: Case) -> Iterator[Move]:
    """End the alert of a rule that is not asked of this subject any more: the condition may hold on, so it is no all-clear."""
    if alert is not None:
        yield from end_all((alert,), (end(alert, Ended.RULE_REMOVED, case.subject.now),))


def _advanced(rule: Rule, verdict: Verdict, alert: Alert | None, case: Case, book: RuleBook) -> Alert | None:
    conditions = Conditions(
        identity=attrs.evolve(case.identity, rule=rule.name),
        active=verdict.active,
        cleared=verdict.cleared,
        severity=rule.severity,
        labels=labels(rule, case),
        template=rule.template,
        hold_duration=rule.hold_duration,
        keep_firing_for=rule.keep_firing_for,
        evidence=case.evidence,
        baseline=case.baseline,
        new_series=case.new_series and _speaks_of_quarantine(rule),
        changed=case.changed,
    )
    after = advance(alert, conditions, case.subject.now)
    if after is None or after.state is not State.FIRING:
        return after
    fresh = case.changed or after is not alert or book.wants_text(after, rule)
    return _annotated(after, rule, case, book) if verdict.active and fresh else after


def _annotated(alert: Alert, rule: Rule, case: Case, book: RuleBook) -> Alert:
    text = book.annotate(rule, case.subject, alert.labels)
    spoken = attrs.evolve(
        alert, annotations=text, wording=book.wording(rule), withheld_integrations=case.withheld_integrations
    )
    return alert if spoken == alert else spoken


def _event(rule: Rule, case: Case, book: RuleBook) -> Event:
    carried = labels(rule, case)
    return Event(
        identity=attrs.evolve(case.identity, rule=rule.name),
        sequence=case.sequence,
        at=case.subject.now,
        severity=rule.severity,
        labels=carried,
        annotations=book.annotate(rule, case.subject, carried),
        template=rule.template,
        evidence=case.evidence,
        withheld_integrations=case.withheld_integrations,
    )


def labels(rule: Rule, case: Case) -> Mapping[str, str]:
    """Give an alert's labels: the tenant's and the rule's own, then ours, which neither can override."""
    tenant = case.subject.tenant.labels if case.subject.tenant else {}
    return {**tenant, **rule.labels, **case.subject_labels, "alertname": rule.name, "severity": rule.severity}


def _speaks_of_quarantine(rule: Rule) -> bool:
    return any(path == name or path.startswith(f"{name}.") for path in rule.condition.reads for name in _QUARANTINE)
