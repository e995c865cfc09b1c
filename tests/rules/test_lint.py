"""The linter: what it warns of, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alertd.errors import Problem
from alertd.model.document import Document
from alertd.model.resources import SynchronizationStatus
from alertd.model.views import Subject
from alertd.rules.constancy import constancy
from alertd.rules.expression import Expression
from alertd.rules.lint import CHECKS, lint
from alertd.rules.loader import read_rules
from alertd.rules.rule import Rule

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def rules(*texts: str) -> list[Rule]:
    """Give rules of the given lines; a summary is added where there is none."""
    lines = ["groups:", "  - rules:"]
    for number, text in enumerate(texts):
        summary = "" if "annotations" in text else "annotations: {summary: x}\n"
        body = f"alert: R{number}\n{summary}{text}".strip()
        lines.append("      - " + body.replace("\n", "\n        "))
    document = Document.parse("\n".join(lines), "r.yaml")
    found = read_rules(document)
    assert document.problems == []
    return found


def codes(*texts: str) -> list[str]:
    return [problem.code for problem in lint(rules(*texts))]


def of_condition(text: str) -> list[Problem]:
    return lint(rules(f"when: >-\n  {text}"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('status.code == "Active" and status.code == "Paused"', id="two values at once"),
        pytest.param('status.code == "Active" and status.code != "Active"', id="is and is not"),
        pytest.param('status.code == "Active" and status.code in ["Paused", "Quarantine"]', id="is and is elsewhere"),
        pytest.param('status.code in ["Active"] and status.code not in ["Active", "Paused"]', id="in and not in"),
        pytest.param("job.failureStreak > 5 and job.failureStreak < 3", id="bounds that cross"),
        pytest.param("job.failureStreak > 5 and job.failureStreak <= 5", id="bounds that touch"),
        pytest.param("job.failureStreak < 3 and job.failureStreak > 5", id="the upper bound first"),
        pytest.param("5 < job.failureStreak < 3", id="a chain that crosses"),
        pytest.param("job.failureStreak < 3 and job.failureStreak == 3", id="a value at a bound that excludes it"),
        pytest.param(
            "job.failureStreak <= 3 and job.failureStreak == 7", id="a value beyond a bound that includes itself"
        ),
        pytest.param(
            "job.escrowRatio in [null, 1] and job.escrowRatio > 1", id="no member above, and null is above nothing"
        ),
        pytest.param("3 > job.failureStreak and job.failureStreak == 7", id="a value out of bounds"),
        pytest.param("status.quarantine == null and status.quarantine != null", id="null and not"),
        pytest.param("job.disableAt == null and job.disableAt > now", id="null and ordered"),
        pytest.param("job.escrowRatio == null and job.escrowRatio > 0.5", id="null and above"),
        pytest.param("job.failureStreak > null", id="ordered against null"),
        pytest.param("age(job.lastSeenAt) > hours(2) and age(job.lastSeenAt) < minutes(5)", id="durations"),
        pytest.param('not (status.code != "Active") and status.code == "Paused"', id="behind a not"),
        pytest.param('"Active" == status.code and "Paused" == status.code', id="the constant first"),
        pytest.param(
            'status.code == "Active" and not (status.code == "Active" or job.gone)', id="behind the not of an or"
        ),
        pytest.param("status.escrowsPruned and 1 > 2", id="a constant part"),
        pytest.param("false", id="false"),
        pytest.param("null", id="null"),
        pytest.param('(status.code == "Active" and status.code == "Paused") or 1 == 2', id="no branch holds"),
    ],
)
def test_never_true(text: str) -> None:
    assert "never-true" in [problem.code for problem in of_condition(text)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('status.code != "Active" or status.code != "Paused"', id="or where and is meant"),
        pytest.param('status.code == "Active" or status.code != "Active"', id="is or is not"),
        pytest.param("status.quarantine == null or status.quarantine != null", id="null or not"),
        pytest.param("true", id="true"),
        pytest.param("1 == 1 or status.escrowsPruned", id="a constant branch"),
        pytest.param('not (status.code == "Active" and status.code == "Paused")', id="not never"),
    ],
)
def test_always_true(text: str) -> None:
    assert "always-true" in [problem.code for problem in of_condition(text)]


@pytest.mark.parametrize(
    "text",
    [
        'status.code == "Active" and previous.code == "Paused"',
        'status.code == "Active" or status.code == "Paused"',
        "job.failureStreak >= 5 and job.failureStreak <= 5",
        "job.failureStreak > 5 or job.failureStreak <= 5",
        "job.failureStreak > 5 and job.failureStreak > 3",
        "job.failureStreak < 3 and job.failureStreak < 5",
        "job.escrowRatio in [null, 1] and job.escrowRatio > 0.5",
        'previous.code == status.code and previous.code == "Active"',
        'previous.code == status.code and status.code == "Active"',
        "job.failureStreak > params.a and job.failureStreak < params.b",
        'status.code in ["Active", "Paused"] and status.code != "Paused"',
        "params.a > 5 and status.escrowsPruned",
        'job.settings["a"] == "1" and job.settings["b"] == "2"',
        "status.escrowsPruned",
        "status.quarantine and true",
    ],
)
def test_conditions_that_depend_are_left_alone(text: str) -> None:
    """What is null makes a bound false, so `x > 5 or x <= 5` does not always hold."""
    assert codes(f"when: {text}\nparams: {{a: 1, b: 2}}\nannotations: {{summary: 'params.a params.b'}}") == []


_WORDS = ['"Active"', '"Paused"', '"Quarantine"', "null"]
_COUNTS = ["1", "2", "3", "null"]
_CODES = st.builds("status.code {} {}".format, st.sampled_from(["==", "!="]), st.sampled_from(_WORDS))
_LISTS = st.builds(
    "status.code {} {}".format,
    st.sampled_from(["in", "not in"]),
    st.sampled_from(['["Active", "Paused"]', '["Active"]', '"Active or Paused"', '["Paused", null]']),
)
_ORDERS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
_BOUNDS = st.builds(
    "status.countSuccessiveCompleteFailures {} {}".format, _ORDERS, st.sampled_from(_COUNTS)
) | st.builds(
    "{} {} status.countSuccessiveCompleteFailures {} {}".format,
    st.sampled_from(_COUNTS),
    _ORDERS,
    _ORDERS,
    st.sampled_from(_COUNTS),
)
_CONDITIONS = st.recursive(
    _CODES | _LISTS | _BOUNDS | st.sampled_from(["true", "false"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=4,
)
_EVERYBODY = [
    Subject(now=START, status=SynchronizationStatus(code=code, countSuccessiveCompleteFailures=count))
    for code in (None, "Active", "Paused", "Quarantine", "NotRun")
    for count in (None, 0, 1, 2, 3, 4)
]


@given(text=_CONDITIONS)
@settings(max_examples=5 * settings.default.max_examples, deadline=None)
@example(text='(status.code in "Active or Paused" and status.code == "Active")')
@example(text="(status.countSuccessiveCompleteFailures > 2 and status.countSuccessiveCompleteFailures == 3)")
@example(text="(not status.code == null)")
def test_what_is_said_to_hold_always_or_never_does(text: str) -> None:
    """Whatever the linter says of a condition is so for every job; where it knows nothing, it says nothing."""
    expression = Expression.compile(text)

    said = constancy(expression.term)

    assert said is None or {expression.truth(subject, {}) for subject in _EVERYBODY} == {said}


@pytest.mark.parametrize(
    ("text", "at", "cure"),
    [
        pytest.param('status.code == "Quarantined"', '"Quarantined"', 'did you mean "Quarantine"?', id="equal"),
        pytest.param('"active" != status.code', '"active"', 'did you mean "Active"?', id="other way round"),
        pytest.param('status.code in ["Active", "Pause"]', '"Pause"', 'did you mean "Paused"?', id="in a list"),
        pytest.param(
            'status.quarantine.reason == "TooManyDelete"', '"TooMany', 'did you mean "TooManyDeletes"?', id="reason"
        ),
        pytest.param('status.lastExecution.state == "Success"', '"Success"', 'did you mean "Succeeded"?', id="state"),
        pytest.param('job.schedule.state == "Off"', '"Off"', "known are Active, Disabled, Paused", id="schedule"),
        pytest.param('tenant.lastPollError == "permissions"', '"permissions"', 'did you mean "permission"?', id="kind"),
        pytest.param('"a" == status.code == "Active"', '"a"', "known are", id="chain"),
        pytest.param(
            'transitions(status.code, to="Quarantined", within=hours(1)) > 1',
            '"Quarantined"',
            'mean "Quarantine"?',
            id="transitions",
        ),
    ],
)
def test_unknown_enum_member(text: str, at: str, cure: str) -> None:
    (problem,) = [problem for problem in of_condition(text) if problem.code == "unknown-enum-member"]

    assert cure in problem.cure
    assert problem.found.endswith(", which is no known value here")
    assert problem.warning
    assert problem.column == len("          ") + text.index(at) + 1


def test_unknown_enum_member_of_a_constant() -> None:
    text = (
        "when: status.code in params.codes or status.code == params.code\nparams: {codes: [Active, Broken], code: Odd}"
    )

    assert codes(text) == ["unknown-enum-member", "unknown-enum-member"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not (status.lastExecution.countEscrowed < 5)", 1),
        ("not (status.escrowsPruned or job.escrowRatio >= 0.5)", 1),
        ("not (age(job.lastSeenAt) < hours(1))", 1),
        ("not (previous.countSuccessiveCompleteFailures < 5)", 1),
        ("not (previous_job.failureStreak < 5)", 1),
        ('not (number(tenant.labels["limit"]) < 5)', 1),
        ("not (len(tenant.labels) < 5)", 0),
        ('not (status.code == "Active")', 0),
        ("not (job.failureStreak < 5)", 0),
        ("not (tenant.pollCoverage < 1)", 0),
        ("not status.escrowsPruned", 0),
    ],
)
def test_negated_comparison(text: str, expected: int) -> None:
    """True for null, which is seldom meant; what cannot be null is left alone."""
    assert [problem.code for problem in of_condition(text)] == ["negated-comparison"] * expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status.code", 1),
        ("status.escrowsPruned and job.failureStreak", 1),
        ("not status.lastExecution.timeEnded", 1),
        ("job.gone if status.code else job.appeared", 1),
        ("status.quarantine", 0),
        ("previous and status.escrowsPruned", 0),
    ],
)
def test_truth_of_value(text: str, expected: int) -> None:
    assert [problem.code for problem in of_condition(text)] == ["truth-of-value"] * expected


def test_a_text_from_either_of_two_enums_may_be_a_member_of_one() -> None:
    assert of_condition('(status.code if job.gone else job.schedule.state) == "Disabled"') == []


@pytest.mark.parametrize(
    ("text", "found", "cure"),
    [
        ("1 > 2", "a condition that never holds", "look for parts that exclude each other"),
        ("1 < 2", "a condition that always holds", "look for `or` where `and` is meant, or remove the rule"),
        (
            "not (job.escrowRatio < 5)",
            "`not` before `job.escrowRatio < 5`, which also holds where a value is null",
            "write the opposite comparison, or add `!= null`",
        ),
    ],
)
def test_what_is_found_and_what_to_do(text: str, found: str, cure: str) -> None:
    (problem,) = of_condition(text)

    assert (problem.found, problem.cure) == (found, cure)


def test_missing_summary() -> None:
    (problem,) = lint(rules("when: job.gone\nannotations: {description: x}"))

    assert (problem.code, problem.path) == ("missing-summary", "groups[0].rules[0].annotations")


def test_unused_constant() -> None:
    (problem,) = lint(rules("when: job.gone\nparams: {a: 1, b: 2}\nannotations: {summary: '{{ params.b }}'}"))

    assert (problem.code, problem.found) == ("unused-param", "constant `a` that nothing uses")


STATE = "when: status.code == 'Active' and job.failureStreak > params.n\nparams: {n: 3}\n"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param(STATE, ["shadowed"], id="the same"),
        pytest.param(STATE.replace("'", '"').replace("and", "and  "), ["shadowed"], id="written otherwise"),
        pytest.param(STATE.replace("n: 3", "n: 4"), [], id="another constant"),
        pytest.param(STATE.replace("Active", "Paused"), [], id="another condition"),
        pytest.param(STATE + "for: 1h", [], id="another `for`: a step of escalation"),
        pytest.param(STATE + "labels: {a: b}", [], id="a label more"),
        pytest.param(STATE + "enabled: false", [], id="switched off"),
    ],
)
def test_shadowed(other: str, expected: list[str]) -> None:
    problems = lint(rules(STATE, other))

    assert [problem.code for problem in problems] == expected
    assert all(problem.found == "the same condition as `R0` in r.yaml:3" for problem in problems)


@pytest.mark.parametrize(("held", "expected"), [("0s", []), ("1m", ["for-below-interval"]), ("5m", []), ("10m", [])])
def test_for_below_interval(held: str, expected: list[str]) -> None:
    found = rules(f"when: job.gone\nfor: {held}")

    problems = lint(found, poll_interval=timedelta(minutes=5))

    assert [problem.code for problem in problems] == expected
    assert all("`for: 1m`, shorter than the 5m between two polls" in problem.found for problem in problems)
    assert all("write `for: 5m`" in problem.cure for problem in problems)
    assert [(problem.file, problem.line, problem.column, problem.path) for problem in problems] == [
        ("r.yaml", 6, 14, "groups[0].rules[0].for") for _ in expected
    ]
    assert lint(found) == []


def test_clearing_conditions_are_looked_at_too() -> None:
    assert codes("when: job.gone\nclear_when: 1 == 2") == ["never-true"]


def test_every_check_says_what_it_means() -> None:
    assert all(check.__doc__ for check in CHECKS.values())
