"""From files to rules: what is read, and everything that can be wrong with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from alertd.errors import ConfigError, Problem
from alertd.model.alert import Scope
from alertd.model.document import Document
from alertd.rules.loader import RESERVED_LABELS, RuleSet, load_rules, read_rules
from alertd.rules.rule import Rule

WHOLE = """\
groups:
  - name: quarantine
    rules:
      - alert: JobQuarantined
        when: status.code == "Quarantine" and job.failureStreak >= params.threshold
        clear_when: status.code == "Active"
        for: 10m
        keep_firing_for: 1h30m
        severity: critical
        labels: {team: identity}
        params: {threshold: 3, window: 5m, text: "5m", flag: true, ratio: 0.5, none: null, codes: [A, B]}
        annotations:
          summary: "{{ job.displayName }} {{ params.window }} {{ params.text }}"
        template: quarantine
        enabled: false
      - alert: Pruned
        event: status.escrowsPruned and not previous.escrowsPruned
        severity: error
  - name: tenants
    scope: tenant
    rules:
      - alert: TenantUnreachable
        when: tenant.consecutivePollFailures >= 3
  - scope: alertd
    rules:
      - alert: StoreTrouble
        when: alertd.storeTrouble
"""


def load(tmp_path: Path, *texts: str) -> RuleSet:
    paths = [tmp_path / f"{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return load_rules(paths)


def problems(tmp_path: Path, *texts: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, *texts)
    return caught.value.problems


def test_every_key_of_a_rule_is_read(tmp_path: Path) -> None:
    rule = load(tmp_path, WHOLE).rules[0]

    assert (rule.name, rule.group, rule.scope, rule.severity) == ("JobQuarantined", "quarantine", Scope.JOB, "critical")
    assert (rule.hold_duration, rule.keep_firing_for) == (timedelta(minutes=10), timedelta(minutes=90))
    assert (rule.labels, rule.template, rule.enabled) == ({"team": "identity"}, "quarantine", False)
    assert rule.when is not None
    assert rule.when.text == 'status.code == "Quarantine" and job.failureStreak >= params.threshold'
    assert rule.clear_when is not None
    assert rule.event is None
    assert rule.annotations["summary"].startswith("{{ job.displayName }}")
    assert (rule.file, rule.line) == (str(tmp_path / "0.yaml"), 4)


def test_constants_are_what_they_look_like(tmp_path: Path) -> None:
    """A plain duration is a duration; in quotes it is a text."""
    assert load(tmp_path, WHOLE).rules[0].params == {
        "threshold": 3,
        "window": timedelta(minutes=5),
        "text": "5m",
        "flag": True,
        "ratio": 0.5,
        "none": None,
        "codes": ("A", "B"),
    }


def test_defaults(tmp_path: Path) -> None:
    rule = load(tmp_path, WHOLE).by_name["TenantUnreachable"]

    assert (rule.hold_duration, rule.keep_firing_for, rule.severity) == (timedelta(0), timedelta(0), "warning")
    assert (rule.clear_when, rule.template, rule.enabled, rule.labels, rule.params) == (None, None, True, {}, {})


def test_rules_keep_their_order_and_belong_to_scopes(tmp_path: Path) -> None:
    rules = load(tmp_path, WHOLE)

    assert [rule.name for rule in rules.rules] == ["JobQuarantined", "Pruned", "TenantUnreachable", "StoreTrouble"]
    assert [rule.name for rule in rules.for_scope(Scope.JOB)] == ["JobQuarantined", "Pruned"]
    assert [rule.name for rule in rules.for_scope(Scope.ALERTD)] == ["StoreTrouble"]


def one(keys: str) -> str:
    """Give a file with one rule of the given lines."""
    return "groups:\n  - rules:\n      - " + "\n        ".join(keys.split("\n")) + "\n"


GOOD = "alert: X\nwhen: status.code == 'Active'\n"


@pytest.mark.parametrize(
    ("text", "place", "path", "found", "expected", "cure"),
    [
        pytest.param(
            "groups:\n  - nme: x\n    rules: []\n", (2, 5), "groups[0].nme", "unknown key `nme`", "", "`name`", id="key of a group"
        ),
        pytest.param("rules: []\n", (1, 1), "rules", "unknown key `rules`", "", "groups", id="key of a file"),
        pytest.param("groups:\n", (1, 8), "groups", "null", "a list of groups", "groups: [", id="no groups"),
        pytest.param("groups:\n  - name: x\n", (2, 5), "groups[0].rules", "nothing", "a list of rules", "rules: [", id="no rules"),
        pytest.param("- alert: X\n", (1, 1), "", "a list", "a mapping", "", id="a list of rules at the top"),
        pytest.param(
            "groups:\n  - scope: tennant\n    rules: []\n",
            (2, 12),
            "groups[0].scope",
            "`tennant`",
            "one of job, tenant, alertd",
            "did you mean `tenant`?",
            id="scope",
        ),
        pytest.param(one(GOOD + "severty: error"), (5, 9), "severty", "unknown key", "", "`severity`", id="key of a rule"),
        pytest.param(one(GOOD + "severity: fatal"), (5, 19), "severity", "`fatal`", "one of critical", "", id="severity"),
        pytest.param(one(GOOD + "for: 5 min"), (5, 14), "for", "`5 min`", "a duration such as 90s", "", id="for"),
        pytest.param(one(GOOD + "keep_firing_for: -1m"), (5, 26), "keep_firing_for", "`-1m`", "a duration", "", id="negative"),
        pytest.param(one(GOOD + "enabled: yes"), (5, 18), "enabled", "`yes`", "true or false", "", id="enabled"),
        pytest.param(one(GOOD + "labels: {severity: x}"), (5, 28), "labels.severity", "label `severity`", "your own", "", id="label"),
        pytest.param(one(GOOD + "labels: {a-b: x}"), (5, 23), "labels.a-b", "label `a-b`", "letters", "rename", id="label name"),
        pytest.param(one(GOOD + "labels: {a: [x]}"), (5, 21), "labels.a", "a list", "text", "", id="label value"),
        pytest.param(one(GOOD + "params: {a: {b: c}}"), (5, 21), "params.a", "a mapping", "a number, a text", "", id="constant"),
        pytest.param(one(GOOD + "params: {a b: 1}"), (5, 23), 'params["a b"]', "constant `a b`", "letters", "", id="constant name"),
        pytest.param(one(GOOD + "params: {_a: 1}"), (5, 22), "params._a", "constant `_a`", "letters", "params.name", id="hidden constant"),
        pytest.param(one(GOOD + "params: {a: [[1], [2]]}"), (5, 21), "params.a", "a list", "a number, a text", "`[a, b]`", id="lists"),
        pytest.param(one(GOOD + "params: {a: [1, x]}"), (5, 21), "params.a", "several kinds", "one kind", "quotes", id="list"),
        pytest.param(one(GOOD + "template: ../secret"), (5, 19), "template", "`../secret`", "message block", "", id="template"),
        pytest.param(one(GOOD + "annotations: {summary: [x]}"), (5, 32), "annotations.summary", "a list", "text", "", id="annotation"),
        pytest.param(one("when: status.code == 'A'"), (3, 9), "alert", "nothing", "text", "add `alert`", id="no name"),
        pytest.param(one("alert: ''\nwhen: status.code == 'A'"), (3, 16), "alert", "``", "printable", "", id="empty name"),
        pytest.param(one("alert: X"), (3, 9), "", "neither `when` nor `event`", "exactly one", "write `when`", id="no condition"),
        pytest.param(
            one(GOOD + "event: job.gone"), (3, 9), "", "both `when` and `event`", "exactly one", "write `when`", id="two conditions"
        ),
        pytest.param(
            one("alert: X\nevent: job.gone\nfor: 5m"), (5, 14), "for", "`for` of an event", "", "remove it", id="for of an event"
        ),
        pytest.param(
            one("alert: X\nevent: job.gone\nclear_when: job.gone"), (5, 21), "clear_when", "of an event", "", "", id="event clears"
        ),
        pytest.param(one("alert: X\nwhen: [a]"), (4, 15), "when", "a list", "text", "", id="condition that is a list"),
        pytest.param(one("alert: X\nwhen: status.cod == 1"), (4, 22), "when", "unknown property `cod`", "", "`code`", id="property"),
        pytest.param(
            one(GOOD + "clear_when: status.code = 'A'"), (5, 33), "clear_when", "`=`", "an expression", "`==`", id="clear_when"
        ),
        pytest.param(
            one("alert: X\nevent: status.code == 'A'"), (4, 16), "event", "without a change", "`previous`", "`when`", id="no moment"
        ),
        pytest.param(one("alert: X\nwhen: changed(status.code)"), (4, 15), "when", "in a state", "", "`event`", id="changed"),
        pytest.param(
            one("alert: X\nwhen: >-\n  status.code == 'A'\n  and foo(1)"), (6, 15), "when", "`foo`", "", "known are", id="folded text"
        ),
        pytest.param(
            one('alert: X\nwhen: "status.code == 1"'), (4, 31), "when", "a text compared with a number", "of a kind", "", id="quoted"
        ),
        pytest.param("groups: [\n", (2, 1), "", "", "", "", id="no YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, text: str, place: tuple[int, int], path: str, found: str, expected: str, cure: str
) -> None:
    told = problems(tmp_path, text)

    problem = next(problem for problem in told if found in problem.found)
    assert (problem.line, problem.column) == place
    assert problem.path.endswith(path)
    assert expected in problem.expected
    assert cure in problem.cure
    assert problem.file == str(tmp_path / "0.yaml")
    assert not problem.warning


@pytest.mark.parametrize(
    ("key", "found", "expected", "cure"),
    [
        ("template: ../secret", "`../secret`", "the name of a message block, such as quarantine", "use a-z, 0-9, `_` and `-`"),
        ("params: {a b: 1}", "constant `a b`", "letters, digits and `_`", "it is written `params.name`"),
        (
            "params: {a: {b: c}}",
            "a mapping",
            "a number, a text, a duration, true or false, or a list of one of these",
            "write one value, or `[a, b]`",
        ),
        ("params: {a: [1, x]}", "values of several kinds", "a list of one kind", "put texts in quotes"),
    ],
)  # fmt: skip
def test_in_these_very_words(tmp_path: Path, key: str, found: str, expected: str, cure: str) -> None:
    (problem,) = problems(tmp_path, one(GOOD + key))

    assert (problem.found, problem.expected, problem.cure) == (found, expected, cure)


def test_a_name_is_printed_as_it_is(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, one(GOOD.replace("X", "' X'")))

    assert problem.expected == "a printable name without spaces around it"
    assert problem.cure == "rename the rule"


def test_everything_wrong_in_all_files_is_told_at_once(tmp_path: Path) -> None:
    bad = one("alert: X\nwhen: status.cod == 1\nseverity: bad\nfor: soon")

    told = problems(tmp_path, bad, WHOLE, bad.replace("X", "Y"))

    assert [(Path(problem.file).name, problem.line) for problem in told] == [
        ("0.yaml", 4), ("0.yaml", 5), ("0.yaml", 6), ("2.yaml", 4), ("2.yaml", 5), ("2.yaml", 6),
    ]  # fmt: skip


def test_a_name_is_given_once_whatever_the_file(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, one(GOOD), one(GOOD))

    assert problem.found == "a second rule `X`"
    assert "0.yaml:3" in problem.expected
    assert "`overrides`" in problem.cure
    assert (problem.line, problem.column, problem.path) == (3, 16, "groups[0].rules[0].alert")
    assert Path(problem.file).name == "1.yaml"


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no readable file"):
        load_rules([tmp_path / "nowhere.yaml"])


def test_warnings_come_with_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(one(GOOD + "for: 1m"), encoding="utf-8")

    def warned(poll_interval: timedelta | None) -> list[str]:
        return [problem.code for problem in load_rules([path], poll_interval=poll_interval).warnings]

    assert warned(None) == ["missing-summary"]
    assert sorted(warned(timedelta(minutes=5))) == ["for-below-interval", "missing-summary"]


def test_an_empty_file_has_no_rules(tmp_path: Path) -> None:
    assert load(tmp_path, "# nothing yet\n") == RuleSet()


def test_anchors_save_writing(tmp_path: Path) -> None:
    text = "groups:\n  - rules:\n      - &x {alert: X, when: job.gone, severity: error}\n      - {<<: *x, alert: Y}\n"

    assert [(rule.name, rule.severity) for rule in load(tmp_path, text).rules] == [("X", "error"), ("Y", "error")]


@pytest.mark.parametrize("label", RESERVED_LABELS)
def test_our_labels_cannot_be_given(label: str) -> None:
    document = Document.parse(one(GOOD + f"labels: {{{label}: x}}"))

    read_rules(document)

    assert [problem.path for problem in document.problems] == [f"groups[0].rules[0].labels.{label}"]


def tunable() -> Rule:
    keys = "params: {threshold: 3, window: 5m, name: x, flag: true, codes: [A]}\n"
    (rule,) = read_rules(Document.parse(one("alert: X\nwhen: job.failureStreak >= params.threshold\n" + keys)))
    return rule


def test_an_override_changes_what_it_names_and_nothing_else() -> None:
    rule = tunable()

    changed = rule.overridden(
        params={"threshold": 5, "window": "1h", "codes": ["B", "C"]}, severity="info", hold_duration=timedelta(hours=1)
    )

    assert changed.params == {**rule.params, "threshold": 5, "window": timedelta(hours=1), "codes": ("B", "C")}
    assert (changed.severity, changed.hold_duration, changed.enabled) == ("info", timedelta(hours=1), True)
    assert rule.overridden(enabled=False).enabled is False
    assert rule.overridden() == rule
    assert changed.when is rule.when


@pytest.mark.parametrize(
    ("override", "told"),
    [
        pytest.param({"params": {"treshold": 5}}, "params.treshold: unknown constant `treshold`; did you mean `thres", id="name"),
        pytest.param({"params": {"threshold": "5"}}, "params.threshold: found `5`; expected a number, as in the rule", id="number"),
        pytest.param({"params": {"threshold": True}}, "expected a number, as in the rule", id="a bool is no number"),
        pytest.param({"params": {"flag": 1}}, "expected a truth value, as in the rule", id="a number is no bool"),
        pytest.param({"params": {"window": "soon"}}, "expected a duration, as in the rule; such as 90s", id="duration"),
        pytest.param({"params": {"window": 5}}, "expected a duration", id="duration without unit"),
        pytest.param({"params": {"name": 5}}, "expected a text, as in the rule; put it in quotes", id="text"),
        pytest.param({"params": {"codes": [1]}}, "expected a list", id="list of another kind"),
        pytest.param({"params": {"codes": "A"}}, "expected a list", id="one for a list"),
        pytest.param({"params": {"threshold": None}}, "expected a number", id="null"),
        pytest.param({"severity": "fatal"}, "severity: found `fatal`; expected one of critical, error, warning, info", id="severity"),
        pytest.param({"severity": "critcal"}, "did you mean `critical`?", id="severity misspelt"),
    ],
)  # fmt: skip
def test_an_override_that_does_not_fit_is_refused(override: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tunable().overridden(**override)  # type: ignore[arg-type]

    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("params", "expected", "cure"),
    [
        ({"threshold": "5"}, "a number, as in the rule", ""),
        ({"window": "5"}, "a duration, as in the rule", "such as 90s, 5m, 1h30m or 7d"),
        ({"name": 5}, "a text, as in the rule", "put it in quotes"),
    ],
)
def test_how_a_constant_that_replaces_another_is_written(params: dict[str, object], expected: str, cure: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tunable().overridden(params=params)

    ((name, value),) = params.items()
    assert caught.value.problems == (Problem(path=f"params.{name}", found=f"`{value}`", expected=expected, cure=cure),)


def test_everything_wrong_with_an_override_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        tunable().overridden(params={"treshold": 5, "window": "soon"}, severity="fatal")

    assert [problem.path for problem in caught.value.problems] == ["params.treshold", "params.window", "severity"]


def test_a_rule_without_constants_says_so() -> None:
    (rule,) = read_rules(Document.parse(one("alert: X\nwhen: job.gone")))

    with pytest.raises(ConfigError) as caught:
        rule.overridden(params={"threshold": 5})

    assert str(caught.value) == "params.threshold: unknown constant `threshold`; the rule has no constants"


def test_an_event_cannot_be_made_to_hold() -> None:
    (rule,) = read_rules(Document.parse(one("alert: X\nevent: job.gone")))

    with pytest.raises(ConfigError) as caught:
        rule.overridden(hold_duration=timedelta(minutes=1))

    assert str(caught.value) == "for: found `for` of an event; expected a state; remove it"
