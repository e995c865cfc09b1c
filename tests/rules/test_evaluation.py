"""What rules say about subjects."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from alertd.model.document import Document
from alertd.model.views import Subject
from alertd.rules.evaluation import Verdict, evaluate
from alertd.rules.expression import Expression
from alertd.rules.loader import read_rules
from alertd.rules.rule import Rule

MakeSubject = Callable[..., Subject]


def rule(keys: str) -> Rule:
    (found,) = read_rules(Document.parse("groups: [{rules: [{alert: X, " + keys + "}]}]"))
    return found


CLEARS = 'when: status.code == "Quarantine", clear_when: status.code == "Active"'


@pytest.mark.parametrize(
    ("keys", "code", "expected"),
    [
        pytest.param('when: status.code == "Quarantine"', "Quarantine", Verdict(active=True), id="true"),
        pytest.param(
            'when: status.code == "Quarantine"', "Paused", Verdict(cleared=True), id="false clears by default"
        ),
        pytest.param(CLEARS, "Quarantine", Verdict(active=True), id="with clear_when, true"),
        pytest.param(CLEARS, "Active", Verdict(cleared=True), id="with clear_when, cleared"),
        pytest.param(CLEARS, "Paused", Verdict(), id="with clear_when, neither"),
        pytest.param(
            'when: status.code == "Active", clear_when: status.code == "Active"',
            "Active",
            Verdict(active=True),
            id="both",
        ),
        pytest.param("event: changed(status.code)", "Paused", Verdict(active=True), id="event"),
        pytest.param("event: changed(status.code)", "Active", Verdict(), id="no event: nothing is cleared"),
    ],
)
def test_verdicts(subject: MakeSubject, keys: str, code: str, expected: Verdict) -> None:
    assert evaluate(rule(keys), subject({"code": code})) == expected


def test_constants_of_an_override_count(subject: MakeSubject) -> None:
    written = rule("when: job.failureStreak >= params.threshold, params: {threshold: 3}")
    failing = subject(job={"failureStreak": 4})

    assert evaluate(written, failing).active
    assert not evaluate(written.overridden(params={"threshold": 5}), failing).active


def test_a_rule_that_raises_is_an_error_and_no_exception(subject: MakeSubject) -> None:
    """Expressions cannot raise; should ours have a defect all the same, the others go on."""

    def broken(*_: object) -> bool:
        raise RuntimeError("boom")

    expression = Expression.compile("status.escrowsPruned")
    object.__setattr__(expression, "truth", broken)

    verdict = evaluate(attrs.evolve(rule("when: job.gone"), when=expression), subject())

    assert verdict == Verdict(error="RuntimeError: boom")
