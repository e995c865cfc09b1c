"""The tests of the shipped rules are worth something: a rule that never speaks fails one of them, and so does one that always does."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from alertd.model.alert import Scope
from alertd.rehearsal.engine import Rehearsal
from alertd.rehearsal.file import RehearsalFile, read_file
from alertd.rehearsal.runner import known
from alertd.rehearsal.setting import Setting
from alertd.rehearsal.verdict import judge
from alertd.rules.expression import Expression
from alertd.rules.loader import builtin_rules, load_rules
from alertd.rules.purpose import Purpose
from alertd.rules.rule import Rule

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "tests"
FILES = [read_file(path) for path in sorted(FOLDER.glob("*.yaml"))]
RULES = load_rules(builtin_rules()).rules
# No answer of Graph or of a receiver brings these about; they are tested against their subject.
BEYOND_TIMELINES = {"RuleUnhealthy", "ReloadFailed", "StoreTrouble", "CredentialExpiring"}


def mutant(rule: Rule, condition: str) -> Rule:
    """The rule with another condition, and nothing else to clear it."""
    expression = Expression.compile(condition, scope=rule.scope, params=rule.params, purpose=Purpose.STATE)
    if rule.event is not None:
        return attrs.evolve(rule, event=expression)
    return attrs.evolve(rule, when=expression, clear_when=None)


async def all_pass(file: RehearsalFile, rule: Rule) -> bool:
    """Whether every test of a file passes with this rule in the place of the one of its name."""
    rules = tuple(rule if one.name == rule.name else one for one in file.setting.rules)
    setting = Setting.of(rules, None)
    for script in file.scripts:
        if not script.only or rule.name in script.only:
            course = await Rehearsal(script, setting).play()
            if not judge(script, course, known(script, setting)).passed:
                return False
    return True


def file_of(rule: Rule) -> RehearsalFile:
    return next(file for file in FILES if Path(file.path).name == Path(rule.file).name)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.name not in BEYOND_TIMELINES], ids=lambda rule: rule.name
)
async def test_a_rule_that_never_speaks_fails_a_test(rule: Rule) -> None:
    assert not await all_pass(file_of(rule), mutant(rule, "false"))


@pytest.mark.anyio
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_a_rule_that_always_speaks_fails_a_test(rule: Rule) -> None:
    assert not await all_pass(file_of(rule), mutant(rule, "true"))


def test_all_the_others_are_about_alertd_or_its_credential() -> None:
    scopes = {rule.scope for rule in RULES if rule.name in BEYOND_TIMELINES}

    assert scopes == {Scope.ALERTD, Scope.TENANT}
