"""`alertd check` finds everything that can be wrong without a network, and says how much it looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_TENANT = "tenants: [{name: t, tenant_id: t.example, credential: {managed_identity: {}}}]\n"
_RECEIVER = "receivers: [{name: oncall, webhook: [{url: 'http://127.0.0.1:1/h'}]}]\nroute: {receiver: oncall}\n"
_GOOD = _TENANT + _RECEIVER + "rules: [own.yaml]\n"
_RULES = """\
groups:
  - name: own
    rules:
      - alert: Quarantined
        when: status.code == "Quarantine"
        annotations: {summary: "{{ job.displayName }} is in quarantine"}
      - alert: Streak
        when: job.failureStreak >= params.threshold
        params: {threshold: 3}
        annotations: {summary: "{{ job.displayName }} fails"}
"""


@pytest.fixture(autouse=True)
def _files(alertd: Any) -> None:
    _write("alertd.yaml", _GOOD)
    _write("own.yaml", _RULES)


def _write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def test_nothing_wrong(alertd: Any) -> None:
    outcome = alertd("check")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("alertd.yaml: nothing wrong in 2 rules, 1 receiver, 1 tenant, ")
    assert len(outcome.out.splitlines()) == 1


def test_problems_of_configuration_rules_overrides_and_templates_come_at_once(alertd: Any) -> None:
    """Somebody who mends one thing at a time for want of knowing the others loses patience."""
    _write("alertd.yaml", _GOOD.replace("receiver: oncall}", "receiver: onkall}") + "templates: mine\n")
    _write("own.yaml", _RULES.replace("status.code", "status.cod"))
    _write("mine/teams/blocks/own.card.json.j2", '{"type": {{ jobb.id }} }')

    outcome = alertd("check")

    assert outcome.code == 2
    summary, *lines = outcome.out.splitlines()
    files = [line.strip().partition(":")[0].rpartition("/")[2] for line in lines]
    assert list(dict.fromkeys(files)) == ["alertd.yaml", "own.yaml", "own.card.json.j2"]
    assert summary.startswith(f"alertd.yaml: {len(lines)} errors in ")
    assert "did you mean `oncall`?" in lines[0]
    assert "did you mean `code`?" in lines[1]
    assert "did you mean `job`?" in "".join(lines[2:])


def test_an_override_of_a_rule_that_is_not_there(alertd: Any) -> None:
    _write("alertd.yaml", _GOOD + "overrides: [{alert: Strek, params: {threshold: 5}}]\n")

    outcome = alertd("check")

    assert outcome.code == 2
    assert "alertd.yaml:5:13: overrides[0]: found rule `Strek`" in outcome.out
    assert "did you mean `Streak`?" in outcome.out


def test_annotations_are_rendered(alertd: Any) -> None:
    _write("own.yaml", _RULES.replace("{{ job.displayName }}", "{{ job.displayNam }}"))

    outcome = alertd("check")

    assert outcome.code == 2
    assert "displayNam" in outcome.out


def test_a_warning_stops_only_a_strict_check(alertd: Any) -> None:
    _write("alertd.yaml", _RECEIVER + "rules: [own.yaml]\n")

    assert alertd("check").code == 0
    strict = alertd("check", "--strict")

    assert strict.code == 1
    assert strict.out.startswith("alertd.yaml: 1 warning in 2 rules")
    assert "no tenant: nothing is watched" in strict.out


def test_secrets_are_looked_for_unless_they_are_not_to_be(alertd: Any) -> None:
    _write(
        "alertd.yaml",
        _GOOD.replace("url: 'http://127.0.0.1:1/h'", "url_file: hook-url, signing_secret: '${SIGNING_SECRET}'"),
    )

    looked = alertd("check")

    assert looked.code == 2
    assert "found `hook-url`; expected a file that is there" in looked.out
    assert "set the environment variable SIGNING_SECRET" in looked.out
    assert alertd("check", "--no-secrets").code == 0


def test_json_is_for_programs(alertd: Any) -> None:
    _write("alertd.yaml", _GOOD + "poll: {intervall: 5m}\n")

    outcome = alertd("check", "--json")

    report = json.loads(outcome.out)
    assert outcome.code == 2
    assert (report["ok"], report["errors"], report["warnings"]) == (False, 1, 0)
    assert report["counts"]["rules"] == 2
    assert report["problems"] == [
        {
            "file": "alertd.yaml",
            "line": 5,
            "column": 8,
            "path": "poll.intervall",
            "found": "unknown key `intervall`",
            "expected": "",
            "cure": "did you mean `interval`?",
            "code": "",
            "warning": False,
        }
    ]


def test_a_file_that_is_no_yaml(alertd: Any) -> None:
    _write("alertd.yaml", "tenants: [\n")

    outcome = alertd("check")

    assert outcome.code == 2
    assert outcome.out.startswith("alertd.yaml: 1 error in what could be read")


def test_no_file(alertd: Any) -> None:
    outcome = alertd("check", "-c", "nowhere.yaml")

    assert (outcome.code, outcome.out) == (2, "")
    assert (
        outcome.err == "nowhere.yaml: no such file; `alertd init` writes one; -c FILE or ALERTD_CONFIG names another\n"
    )


def test_the_starter_configuration_passes_strictly(alertd: Any) -> None:
    """It brings the shipped rules and templates along, so these pass too."""
    Path("alertd.yaml").unlink()
    alertd("init")

    outcome = alertd("check", "--no-secrets", "--strict")

    assert outcome.code == 0, outcome.out
