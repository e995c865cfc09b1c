"""While a source fires, what follows from the same cause is not told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alertd.model.alert import Alert, State
from alertd.notify.inhibition import BUILTIN, InhibitRule, inhibitor
from alertd.notify.matchers import parse_matcher

from .alerts import START, alert, ended, event


def rule(source: str, target: str, *equal: str) -> InhibitRule:
    return InhibitRule(
        source_matchers=tuple(parse_matcher(text) for text in source.split(";")),
        target_matchers=tuple(parse_matcher(text) for text in target.split(";")),
        equal=equal,
    )


def labelled(name: str, **labels: str) -> Alert:
    return alert(name, labels={"alertname": name, **labels})


CAUSE, EFFECT = labelled("Cause", tenant="a"), labelled("Effect", tenant="a")
RULE = rule('alertname="Cause"', 'alertname="Effect"', "tenant")


def test_a_firing_source_holds_its_target_back() -> None:
    assert inhibitor(EFFECT, [CAUSE], [RULE]) is CAUSE


def test_an_event_can_be_held_back() -> None:
    assert inhibitor(event("Effect", labels=EFFECT.labels), [CAUSE], [RULE]) is CAUSE


def test_a_source_that_is_kept_firing_still_inhibits() -> None:
    kept = alert("Cause", labels=CAUSE.labels, clearSince=START + timedelta(minutes=5))

    assert inhibitor(EFFECT, [kept], [RULE]) is kept


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(alert("Cause", labels=CAUSE.labels, state=State.PENDING), id="pending"),
        pytest.param(alert("Cause", labels=CAUSE.labels, state=State.PENDING, startsAt=START), id="demoted by a raised for"),
        pytest.param(alert("Cause", labels=CAUSE.labels, state=State.BASELINE), id="baseline"),
        pytest.param(ended("Cause", labels=CAUSE.labels), id="ended"),
    ],
)  # fmt: skip
def test_a_source_that_does_not_fire_inhibits_nothing(source: Alert) -> None:
    assert inhibitor(EFFECT, [source], [RULE]) is None


@pytest.mark.parametrize(
    ("source", "target", "held"),
    [
        pytest.param({"tenant": "a"}, {"tenant": "a"}, True, id="equal"),
        pytest.param({"tenant": "a"}, {"tenant": "b"}, False, id="different"),
        pytest.param({}, {}, True, id="missing on both sides"),
        pytest.param({"tenant": ""}, {}, True, id="empty equals missing"),
        pytest.param({}, {"tenant": ""}, True, id="missing equals empty"),
        pytest.param({"tenant": "a"}, {}, False, id="missing in the target"),
        pytest.param({}, {"tenant": "a"}, False, id="missing in the source"),
    ],
)
def test_labels_that_must_be_equal(source: dict[str, str], target: dict[str, str], held: bool) -> None:
    found = inhibitor(labelled("Effect", **target), [labelled("Cause", **source)], [RULE])

    assert (found is not None) is held


def test_every_label_of_the_list_must_be_equal() -> None:
    both = rule('alertname="Cause"', 'alertname="Effect"', "tenant", "job_id")

    assert not both.inhibits(labelled("Cause", tenant="a", job_id="1"), labelled("Effect", tenant="a", job_id="2"))
    assert both.inhibits(labelled("Cause", tenant="a", job_id="1"), labelled("Effect", tenant="a", job_id="1"))


def test_every_matcher_of_a_side_must_match() -> None:
    narrow = rule('alertname="Cause";tenant="a"', 'alertname="Effect";severity="info"')

    assert narrow.inhibits(CAUSE, labelled("Effect", severity="info"))
    assert not narrow.inhibits(CAUSE, labelled("Effect", severity="error"))
    assert not narrow.inhibits(labelled("Cause", tenant="b"), labelled("Effect", severity="info"))


TWO_SIDED = rule('severity=~"critical|error"', 'severity=~"error|info"')
CRITICAL, ERROR, INFO = (labelled(severity, severity=severity) for severity in ("critical", "error", "info"))


@pytest.mark.parametrize(
    ("source", "target", "held"),
    [
        pytest.param(CRITICAL, INFO, True, id="source only over target only"),
        pytest.param(CRITICAL, ERROR, True, id="source only over both"),
        pytest.param(ERROR, INFO, True, id="both over target only"),
        pytest.param(ERROR, labelled("other", severity="error"), False, id="both over both"),
        pytest.param(ERROR, ERROR, False, id="itself"),
        pytest.param(INFO, ERROR, False, id="a target is no source"),
        pytest.param(ERROR, CRITICAL, False, id="a source is no target"),
    ],
)
def test_an_alert_on_both_sides(source: Alert, target: Alert, held: bool) -> None:
    """As Alertmanager has it: two alerts of which either could silence the other silence each other not at all."""
    assert TWO_SIDED.inhibits(source, target) is held


def test_an_alert_never_inhibits_itself_even_with_other_labels() -> None:
    """Identity is not in the labels: after a renaming an alert is still the same."""
    before = alert("Same", labels={"side": "source"})
    now = alert("Same", labels={"side": "target"})

    assert inhibitor(now, [before], [rule('side="source"', 'side="target"')]) is None


def test_any_rule_and_any_source_will_do() -> None:
    other = rule('alertname="Other"', 'alertname="Effect"')
    quiet = labelled("Cause", tenant="b")

    assert inhibitor(EFFECT, [quiet, CAUSE], [other, RULE]) is CAUSE


def test_nothing_inhibits_without_rules_or_sources() -> None:
    assert inhibitor(EFFECT, [CAUSE], []) is None
    assert inhibitor(EFFECT, [], [RULE]) is None


# The shipped rules.


def shipped(name: str, job: str = "SF.1", principal: str = "sp-1", tenant: str = "t-1") -> Alert:
    labels = {"alertname": name, "tenant_id": tenant, "service_principal_id": principal, "job_id": job}
    return alert(name, job, labels=labels)


@pytest.mark.parametrize("name", ["FailureStreak", "EntryErrorsHigh", "EscrowsRising", "JobStale"])
def test_quarantine_holds_back_what_it_explains(name: str) -> None:
    quarantined = [shipped("JobQuarantined")]

    assert inhibitor(shipped(name), quarantined, BUILTIN) is not None
    assert inhibitor(shipped(name, job="SF.2"), quarantined, BUILTIN) is None
    assert inhibitor(shipped(name, principal="sp-2"), quarantined, BUILTIN) is None
    assert inhibitor(shipped(name, tenant="t-2"), quarantined, BUILTIN) is None


@pytest.mark.parametrize("name", ["JobPaused", "TooManyDeletes", "QuarantineDisableIn7Days", "JobStaleElsewhere"])
def test_quarantine_holds_nothing_else_back(name: str) -> None:
    assert inhibitor(shipped(name), [shipped("JobQuarantined")], BUILTIN) is None


def test_an_unreachable_tenant_holds_back_that_its_jobs_are_stale() -> None:
    unreachable = alert("TenantUnreachable", "", labels={"alertname": "TenantUnreachable", "tenant_id": "t-1"})

    assert inhibitor(shipped("JobStale"), [unreachable], BUILTIN) is unreachable
    assert inhibitor(shipped("JobStale", tenant="t-2"), [unreachable], BUILTIN) is None
    assert inhibitor(shipped("JobQuarantined"), [unreachable], BUILTIN) is None
