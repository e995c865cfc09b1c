"""The schemas that editors use say what the loaders say, and the shipped files name theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from alertd.cli.schema import text_of
from alertd.rehearsal import file as rehearsal_file
from alertd.rehearsal.schema import rehearsal_schema
from alertd.rules import loader
from alertd.rules.schema import rules_schema

_ROOT = Path(__file__).resolve().parents[2]
_RULES = sorted((_ROOT / "rules").glob("*.yaml"))
_TESTS = [*sorted((_ROOT / "rules" / "tests").glob("*.yaml")), *sorted((_ROOT / "tests" / "scenarios").glob("S*.yaml"))]


class _Core(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: an instant is a text, and 22:00 is no number."""


_Core.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _load(text: str) -> Any:
    return yaml.load(text, Loader=_Core)  # noqa: S506 - a safe loader


def _name(path: Path) -> str:
    return path.relative_to(_ROOT).as_posix()


def _errors(schema: dict[str, Any], content: Any) -> list[str]:
    return [
        f"{one.json_path}: {one.message[:200]}" for one in jsonschema.Draft202012Validator(schema).iter_errors(content)
    ]


@pytest.mark.parametrize("kind", ["config", "rules", "test"])
def test_the_command_prints_a_schema_and_the_shipped_one_is_the_same(alertd: Any, kind: str) -> None:
    """`alertd schema KIND > rules/schema/KIND.json` brings them together again."""
    printed = alertd("schema", kind).out

    jsonschema.Draft202012Validator.check_schema(_load(printed))
    assert printed == text_of(kind)
    assert (_ROOT / "rules" / "schema" / f"{kind}.json").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize("path", [*_RULES, *sorted((_ROOT / "rules" / "tests").glob("*.yaml"))], ids=_name)
def test_shipped_files_name_the_schema_that_lies_beside_them(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)

    assert match is not None, first
    kind = "test" if path.parent.name == "tests" else "rules"
    assert (path.parent / match[1]).resolve() == _ROOT / "rules" / "schema" / f"{kind}.json"


@pytest.mark.parametrize("path", _RULES, ids=_name)
def test_shipped_rules_fit(path: Path) -> None:
    assert _errors(rules_schema(), _load(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", _TESTS, ids=_name)
def test_shipped_tests_fit(path: Path) -> None:
    assert _errors(rehearsal_schema(), _load(path.read_text(encoding="utf-8"))) == []


def test_the_schemas_know_the_keys_that_the_loaders_know() -> None:
    rule = rules_schema()["properties"]["groups"]["items"]["properties"]["rules"]["items"]
    test = rehearsal_schema()["properties"]["tests"]["items"]

    assert set(rule["properties"]) == set(loader._KEYS)
    assert set(test["properties"]) == set(rehearsal_file._TEST_KEYS)


def _rule(text: str) -> str:
    return f"groups: [{{rules: [{{{text}}}]}}]"


def _test(text: str) -> str:
    return f"{{rule_files: [a.yaml], tests: [{{name: t, {text}}}]}}"


_WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no condition": (rules_schema(), _rule("alert: A")),
    "both conditions": (rules_schema(), _rule("alert: A, when: a, event: b")),
    "for of an event": (rules_schema(), _rule("alert: A, event: b, for: 5m")),
    "unknown key of a rule": (rules_schema(), _rule("alert: A, when: a, severty: error")),
    "unknown severity": (rules_schema(), _rule("alert: A, when: a, severity: page")),
    "no duration": (rules_schema(), _rule("alert: A, when: a, for: 5 minutes")),
    "unknown scope": (rules_schema(), "groups: [{scope: jobs, rules: []}]"),
    "no groups": (rules_schema(), "rules: []"),
    "unknown key of a test": (rehearsal_schema(), _test("job: []")),
    "unknown word": (rehearsal_schema(), _test("jobs: [{job: a/b/c, timeline: [actve x3]}]")),
    "unknown error": (rehearsal_schema(), _test("jobs: [{job: a/b/c, timeline: ['error(oops)']}]")),
    "unknown property": (rehearsal_schema(), _test("jobs: [{job: a/b/c, timeline: [{cod: Active}]}]")),
    "no job name": (rehearsal_schema(), _test("jobs: [{job: SF.1, timeline: [Active]}]")),
    "status and hang": (
        rehearsal_schema(),
        _test("answers: [{receiver: r, from: 0s, to: 1h, status: 429, hang: true}]"),
    ),
    "unknown reason": (rehearsal_schema(), _test("expect_notifications: [{at: 0s, reason: new}]")),
    "no moment": (rehearsal_schema(), _test("expect_alerts: [{firing: [A]}]")),
}


@pytest.mark.parametrize(("schema", "text"), _WRONG.values(), ids=_WRONG.keys())
def test_what_the_loader_refuses_is_underlined(schema: dict[str, Any], text: str) -> None:
    assert _errors(schema, _load(text)) != []


def _descriptions(schema: dict[str, Any]) -> Iterator[str]:
    for one in schema.get("properties", {}).values():
        if "description" in one:
            yield one["description"]


def test_every_key_of_a_rule_says_what_it_means() -> None:
    rule = rules_schema()["properties"]["groups"]["items"]["properties"]["rules"]["items"]

    assert [text for text in _descriptions(rule) if not text.endswith(".")] == []
    assert len(list(_descriptions(rule))) == len(rule["properties"])
