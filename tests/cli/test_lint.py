"""What `check` warns of: every code is documented, and every documented code is found where it should be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from alertd.rules.lint import CHECKS

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = (_ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
_DOCUMENTED = re.findall(r"^### (\S+)$", _PAGE, re.MULTILINE)

_HEAD = "tenants: [{name: t, tenant_id: t.example, credential: {managed_identity: {}}}]\nrules: [own.yaml]\n"
_ONCALL = "receivers: [{name: oncall, webhook: [{url: 'http://127.0.0.1:1/h'}]}]\n"
_CONFIG = _HEAD + _ONCALL + "route: {receiver: oncall}\n"
_TEAMS = "receivers: [{name: oncall, teams: [{url: 'http://127.0.0.1:1/h'}]}]\n"
_RULE = 'groups: [{name: own, rules: [{alert: Own, when: status.code == "Paused", annotations: {summary: "!"}}]}]\n'


def _codes_in_source() -> set[str]:
    given = {
        code
        for path in (_ROOT / "alertd").rglob("*.py")
        for code in re.findall(r"""\bcode="([a-z]+(?:-[a-z]+)*)\"""", path.read_text(encoding="utf-8"))
    }
    return given | set(CHECKS)


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    assert sorted(_DOCUMENTED) == sorted(_codes_in_source())


def _when(text: str, more: str = "") -> tuple[str, str]:
    rule = f"{{alert: Own, when: '{text}', annotations: {{summary: '!'}}{more}}}"
    return _CONFIG, f"groups: [{{name: own, rules: [{rule}]}}]\n"


def _routes(*routes: str, receivers: str = _ONCALL) -> tuple[str, str]:
    return _HEAD + receivers + f"route: {{receiver: oncall, routes: [{', '.join(routes)}]}}\n", _RULE


_TWO = "receivers: [{name: oncall, webhook: [{url: 'http://127.0.0.1:1/h'}]}, {name: other, webhook: [{url: 'http://127.0.0.1:1/i'}]}]\n"
_TWICE = '{alert: %s, when: status.code == "Paused", annotations: {summary: "!"}}'
_CASES = {
    "unknown-alert": [(_CONFIG + "common_causes: [{alert: Many, matchers: ['alertname=Owm']}]\n", _RULE)],
    "silent-flow": [(_HEAD + _TEAMS + 'route: {receiver: oncall}\ndigest: [{receiver: oncall, cron: "0 9 1 jan,jun *"}]\n', _RULE)],
    "never-true": [_when('status.code == "Active" and status.code == "Paused"')],
    "always-true": [_when('status.code != "Active" or status.code != "Paused"')],
    "unknown-enum-member": [_when('status.code == "Quarantined"')],
    "negated-comparison": [_when("not (status.countSuccessiveCompleteFailures < 5)")],
    "truth-of-value": [_when("status.countSuccessiveCompleteFailures")],
    "shadowed": [(_CONFIG, f"groups: [{{name: own, rules: [{_TWICE % 'One'}, {_TWICE % 'Two'}]}}]\n")],
    "for-below-interval": [_when('status.code == "Paused"', ", for: 1m")],
    "missing-summary": [(_CONFIG, _RULE.replace('summary: "!"', 'description: "!"'))],
    "unused-param": [_when('status.code == "Paused"', ", params: {threshold: 3}")],
    "unknown-variable": [(_CONFIG, _RULE.replace('"!"', '"{{ job.displayNam }}"'))],
    "unused-receiver": [(_CONFIG.replace(_ONCALL, _TWO), _RULE)],
    "idle-mute-summary": [_routes("{matchers: [tenant=t], mute_summary: true}")],
    "unreachable-route": [
        _routes("{matchers: ['severity=error', 'severity=critical']}"),
        _routes("{matchers: ['severity=error'], routes: [{matchers: ['severity=~\"critical|info\"']}]}"),
        _routes("{matchers: ['tenant=a']}", "{matchers: ['tenant=a', 'severity=error']}"),
        _routes("{matchers: ['alertname=Owm']}"),
        _routes("{}", "{matchers: ['tenant=a']}"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "config", "rules"),
    [
        pytest.param(code, *case, id=f"{code}-{number}")
        for code, cases in _CASES.items()
        for number, case in enumerate(cases)
    ],
)
def test_a_finding_has_its_code_and_its_place(alertd: Any, code: str, config: str, rules: str) -> None:
    Path("alertd.yaml").write_text(config, encoding="utf-8")
    Path("own.yaml").write_text(rules, encoding="utf-8")
    Path("alertd.yaml").chmod(0o600)

    outcome = alertd("check", "--json")

    (problem,) = json.loads(outcome.out)["problems"]
    assert (problem["code"], bool(problem["line"])) == (code, True)
    assert problem["warning"] is (code != "unknown-variable")


def test_every_documented_code_has_a_case() -> None:
    assert sorted(_CASES) == sorted(_DOCUMENTED)


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        pytest.param(*_routes("{matchers: ['tenant=a'], continue: true}", "{matchers: ['tenant=a', 'x=y']}"), id="the one before continues"),
        pytest.param(*_routes("{matchers: ['tenant=a', 'severity=error']}", "{matchers: ['tenant=a']}"), id="the narrow one first"),
        pytest.param(*_routes("{matchers: ['severity!=error', 'severity!=info']}"), id="several that are not"),
        pytest.param(*_routes("{matchers: ['alertname=~\"O.*\"']}"), id="a rule by a pattern"),
        pytest.param(*_routes("{matchers: ['tenant=a'], routes: [{receiver: other}]}", receivers=_TWO), id="a receiver of a route below"),
        pytest.param(*_when('status.code == "Paused"', ", for: 5m"), id="for as long as the interval"),
    ],
)  # fmt: skip
def test_what_is_meant_is_left_alone(alertd: Any, config: str, rules: str) -> None:
    Path("alertd.yaml").write_text(config, encoding="utf-8")
    Path("own.yaml").write_text(rules, encoding="utf-8")
    Path("alertd.yaml").chmod(0o600)

    assert json.loads(alertd("check", "--json").out)["problems"] == []


def test_the_shipped_rules_are_clean_at_the_default_interval(alertd: Any) -> None:
    Path("alertd.yaml").write_text(_CONFIG.replace("[own.yaml]", "[builtin]"), encoding="utf-8")
    Path("alertd.yaml").chmod(0o600)

    assert alertd("check", "--strict").code == 0
