"""Files of tests: what is read, and what is refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alertd.errors import ConfigError
from alertd.rehearsal.file import read_file

Write = Callable[[str], Path]
HEAD = "rule_files: [rules.yaml]\n"
ONE = HEAD + "tests:\n  - name: it\n    jobs: [{job: contoso/Salesforce/SF.1, timeline: [Active]}]\n"


def test_defaults(write: Write) -> None:
    script = read_file(write(ONE)).scripts[0]

    assert script.interval == timedelta(minutes=5)
    assert script.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert script.end == timedelta(0)
    assert script.expected_notifications is None  # nothing is compared without the key


def test_everything_of_the_contract(write: Write) -> None:
    text = HEAD + (
        "tests:\n"
        "  - name: all of it\n"
        "    interval: 10m\n"
        "    start: 2026-01-05T10:00:00+01:00\n"
        "    only: [Paused]\n"
        "    jobs:\n"
        "      - {job: contoso/Sales/force/SF.1, timeline: [Active x2, Paused]}\n"
        "      - {job: {tenant: contoso, servicePrincipal: Workday, servicePrincipalId: sp-1, id: WD.1}, timeline: [Active]}\n"
        "    tenants: [{tenant: fabrikam, timeline: [ok x3, error(auth) x2]}]\n"
        "    silences: [{matchers: ['tenant=\"contoso\"'], starts: 1h, ends: 2h}]\n"
        "    receivers_down: [{receiver: default, from: 1h, to: 2h}]\n"
        "    answers:\n"
        "      - {receiver: default, from: 3h, to: 4h, status: 429, retry_after: 90s}\n"
        "      - {receiver: default, from: 4h, to: 5h, hang: true}\n"
        "    restarts: [1h30m]\n"
        "    until: 3h\n"
        "    expect_alerts: [{at: 15m, firing: [Paused], pending: []}]\n"
        "    expect_notifications:\n"
        "      - {at: 25m..1h, receiver: default, reason: first_notification, firing: [{alert: Paused, labels: {tenant: contoso}}]}\n"
    )

    script = read_file(write(text)).scripts[0]

    assert script.start == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert [str(job.name) for job in script.jobs] == ["contoso/Sales/force/SF.1", "contoso/Workday/WD.1"]
    assert (script.jobs[0].name.service_principal, script.jobs[1].name.principal_id) == ("Sales/force", "sp-1")
    assert [behaviour.answer for behaviour in script.behaviours] == [503, 429, "hang"]
    assert script.last_step == timedelta(minutes=40)
    assert script.end == timedelta(hours=3)
    assert script.expected_notifications is not None
    assert str(script.expected_notifications[0].at) == "25m..1h"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param("tests: []", "1:1", ["rule_files", "tests"], id="nothing in it"),
        pytest.param(HEAD + "tests: []", "2:8", ["no tests"], id="no tests"),
        pytest.param(
            HEAD.replace("rules", "rulez") + "tests: [{name: x}]", "1:14", ["a file of rules"], id="no such rule file"
        ),
        pytest.param(
            HEAD + "test: [{name: x}]", "2:1", ["unknown key `test`", "`tests`"], id="misspelt key at the top"
        ),
        pytest.param(
            ONE + "    intervall: 5m", "5:5", ["unknown key `intervall`", "`interval`"], id="misspelt key of a test"
        ),
        pytest.param(ONE + "    interval: soon", "5:15", ["`soon`", "a duration"], id="no duration"),
        pytest.param(ONE + "    start: monday", "5:12", ["`monday`", "an instant"], id="no instant"),
        pytest.param(
            ONE + "    only: [Pausd]", "5:12", ["`Pausd`", "did you mean `Paused`"], id="only an unknown rule"
        ),
        pytest.param(ONE + "    until: -1m", "5:12", ["a duration"], id="negative end"),
        pytest.param(
            ONE.replace("[Active]", "[Active x3]") + "    until: 5m",
            "5:12",
            ["10m or later"],
            id="end before the last step",
        ),
        pytest.param(
            ONE.replace("contoso/Salesforce/SF.1", "SF.1"), "4:18", ["tenant/displayName/job id"], id="no job name"
        ),
        pytest.param(
            ONE.replace("[Active]", "[Aktiv, paused]"), "4:61", ["`paused`", "did you mean `Paused`"], id="no step"
        ),
        pytest.param(
            ONE.replace("[Active]", "[{cod: Active}]"), "4:55", ["unknown key `cod`", "`code`"], id="no property"
        ),
        pytest.param(
            ONE.replace("[Active]}", "[Active]}, {job: contoso/Salesforce/SF.1, timeline: [Active]}"),
            "4:70",
            ["a second time"],
            id="a job twice",
        ),
        pytest.param(
            ONE + "    receivers_down: [{receiver: teams, from: 0s, to: 1m}]",
            "5:33",
            ["`teams`", "default"],
            id="unknown receiver is down",
        ),
        pytest.param(
            ONE + "    receivers_down: [{receiver: default, from: 2m, to: 1m}]",
            "5:56",
            ["later than 2m"],
            id="an outage that ends before it starts",
        ),
        pytest.param(
            ONE + "    answers: [{receiver: default, from: 0s, to: 1m}]",
            "5:15",
            ["neither `status` nor `hang`"],
            id="an answer without an answer",
        ),
        pytest.param(
            ONE + "    answers: [{receiver: default, from: 0s, to: 1m, status: 700}]",
            "5:61",
            ["`700`", "100 to 599"],
            id="no status",
        ),
        pytest.param(
            ONE + "    answers: [{receiver: default, from: 0s, to: 1m, hang: true, retry_after: 1s}]",
            "5:78",
            ["beside `hang`"],
            id="retry_after without an answer",
        ),
        pytest.param(
            ONE + "    silences: [{matchers: [contoso], starts: 0s, ends: 1m}]",
            "5:28",
            ["a matcher such as"],
            id="no matcher",
        ),
        pytest.param(
            ONE + "    silences: [{matchers: [], starts: 0s, ends: 1m}]",
            "5:27",
            ["no matchers"],
            id="a silence of everything",
        ),
        pytest.param(
            ONE + "    expect_alerts: [{at: 1m, fireing: []}]",
            "5:30",
            ["unknown key `fireing`", "`firing`"],
            id="misspelt key of an expectation",
        ),
        pytest.param(ONE + "    expect_alerts: [{firing: []}]", "5:21", ["at"], id="expected at no moment"),
        pytest.param(ONE + "    expect_notifications: [{at: 1h..soon}]", "5:33", ["a range such as"], id="no range"),
        pytest.param(
            ONE + "    expect_notifications: [{at: 1h, firing: Paused}]", "5:45", ["a list"], id="a word for a list"
        ),
        pytest.param(
            ONE + "    tenants: [{tenant: contoso, timeline: [Active]}]",
            "5:44",
            ["`Active`", "ok"],
            id="a tenant that is active",
        ),
        pytest.param("rule_files: [rules.yaml\n", "2:1", [], id="no YAML"),
    ],
)
def test_refusals(write: Write, text: str, place: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_file(write(text))

    told = [str(problem) for problem in caught.value.problems]
    assert any(line.split(": ")[0].endswith(f"small.test.yaml:{place}") for line in told), told
    assert all(any(word in line for line in told) for word in words), told


def test_all_problems_are_told_at_once(write: Write) -> None:
    text = ONE + "    intervall: 5m\n    only: [Pausd]\n    expect_alerts: [{fireing: []}]\n"

    with pytest.raises(ConfigError) as caught:
        read_file(write(text))

    assert [problem.line for problem in caught.value.problems] == [5, 6, 7, 7]


def test_a_misspelt_property_in_a_rule_is_refused_with_the_suggestion(write: Write) -> None:
    path = write(ONE)
    rules = path.with_name("rules.yaml")
    rules.write_text(rules.read_text().replace('status.code == "Paused"', "status.countSuccesiveCompleteFailures > 3"))

    with pytest.raises(ConfigError) as caught:
        read_file(path)

    problem = caught.value.problems[0]
    assert (problem.line, problem.column > 0) == (6, True)
    assert "did you mean `countSuccessiveCompleteFailures`" in str(problem)


@pytest.mark.parametrize(
    "expectation",
    [
        pytest.param("expect_alerts: [{at: 0s, firing: [NoSuchRule]}]", id="unknown alert"),
        pytest.param("expect_notifications: [{at: 0s, receiver: nobody, reason: late}]", id="unknown receiver"),
        pytest.param("expect_notifications: [{at: 0s, receiver: default, reason: whim}]", id="unknown reason"),
        pytest.param("expect_notifications: [{at: 9h, receiver: default, reason: late}]", id="after the end"),
        pytest.param("expect_notifications: [{at: 2h..1h, receiver: default, reason: late}]", id="a range of nothing"),
        pytest.param("expect_alerts: [{at: 9h, firing: []}]", id="a moment after the end"),
        pytest.param(
            "expect_notifications: [{at: 0s, receiver: default, reason: late, resolved: [Quarantined, Paused]}]",
            id="out of order",
        ),
        pytest.param("expect_alerts: [{at: 0s, firing: [{alert: Paused, severity: fatal}]}]", id="unknown severity"),
    ],
)
def test_an_expectation_never_makes_a_file_invalid(write: Write, expectation: str) -> None:
    assert read_file(write(f"{ONE}    {expectation}\n")).scripts


def test_shipped_rules_go_by_their_name(write: Write) -> None:
    file = read_file(write(ONE.replace("rules.yaml", "builtin")))

    assert "JobQuarantined" in {rule.name for rule in file.setting.rules}


def test_rule_files_may_be_a_pattern(write: Write) -> None:
    assert len(read_file(write(ONE.replace("rules.yaml", "'rule*.yaml'"))).setting.rules) == 3


CONFIG = """
receivers: [{name: oncall, webhook: [{url: "${NO_SUCH_VARIABLE}"}], email: [{to: [a@example.com], from: b@example.com,
  smtp: {host: mail, username: u, password_file: nowhere}}]}]
route: {receiver: oncall, group_by: [alertname], group_wait: 10s, group_interval: 3m, repeat_interval: 4h}
delivery: {retry_for: 1h, on_unknown: skip}
"""


def test_a_configuration_gives_routes_receivers_and_inhibition_without_its_secrets(write: Write) -> None:
    path = write("config: alertd.yaml\n" + ONE)
    path.with_name("alertd.yaml").write_text(CONFIG)

    setting = read_file(path).setting

    assert [one.id for one in setting.routing.receivers["oncall"]] == ["oncall/email/default", "oncall/webhook/default"]
    assert [one.closes_silently for one in setting.routing.receivers["oncall"]] == [True, False]
    assert setting.routing.root.pace.group_interval == timedelta(minutes=3)
    assert setting.routing.inhibit_rules  # the shipped ones, where the configuration lists none
    assert setting.policy.on_unknown == "skip"


def test_a_wrong_configuration_is_told_with_its_places(write: Write) -> None:
    path = write("config: alertd.yaml\n" + ONE)
    path.with_name("alertd.yaml").write_text(CONFIG.replace("receiver: oncall", "receiver: oncal"))

    with pytest.raises(ConfigError, match=r"alertd\.yaml:4.*did you mean `oncall`"):
        read_file(path)


def test_overrides_of_rules_that_are_not_tested_here_do_not_matter(write: Write) -> None:
    path = write("config: alertd.yaml\n" + ONE)
    path.with_name("alertd.yaml").write_text(
        CONFIG + "overrides: [{alert: JobStale, severity: info}, {alert: Paused, severity: error}]"
    )

    setting = read_file(path).setting

    assert setting.config is not None
    assert [change.alert for change in setting.config.overrides] == ["Paused"]
