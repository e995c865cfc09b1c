"""From a configuration to what it says: rules, their texts, templates. If this stands, the configuration is right.

Only what is needed to tell that is imported here, for `alertd check` is asked at every keystroke of some people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from alertd import __version__
from alertd.alerts.book import Annotate, RuleBook
from alertd.alerts.common_cause import CommonCause
from alertd.config.root import Config
from alertd.errors import ConfigError, Problem
from alertd.model.suggestion import did_you_mean
from alertd.model.views import Subject
from alertd.render.annotations import compile_annotations, compile_for_children
from alertd.render.environment import Templates
from alertd.rules.loader import load_rules
from alertd.rules.rule import Rule, RuleSet
from alertd.rules.shipped import builtin_rules


@attrs.frozen(kw_only=True)
class Built:
    """What a configuration makes of itself before anything is started: if this stands, the configuration is right."""

    config: Config
    book: RuleBook
    templates: Templates
    warnings: tuple[Problem, ...] = ()


def build(config: Config) -> Built:
    """Load rules and templates of a configuration; raises ConfigError with everything that is wrong in any of them."""
    problems: list[Problem] = []
    rules = _kept(problems, lambda: rules_of(config))
    book = _kept(problems, lambda: book_of(config, rules.rules)) if rules is not None else None
    templates = _kept(problems, lambda: templates_of(config))
    if book is None or templates is None or rules is None:
        raise ConfigError(problems)
    warnings = (*config.warnings, *rules.warnings)
    return Built(config=config, book=book, templates=templates, warnings=warnings)


def _kept(problems: list[Problem], make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is made
    try:
        return make()
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def rule_files(config: Config) -> tuple[Path, ...]:
    """Give the files of rules in their order, the shipped ones in place of the word `builtin`; each once."""
    chosen: list[Path] = []
    for source in config.rules:
        chosen += builtin_rules() if isinstance(source, str) else [source]
    return tuple(dict.fromkeys(chosen))


def rules_of(config: Config) -> RuleSet:
    """Load the rules a configuration names; raises ConfigError with all their problems."""
    return load_rules(rule_files(config), poll_interval=config.poll.interval)


def book_of(config: Config, rules: Iterable[Rule]) -> RuleBook:
    """Make the rule book, annotations compiled; raises ConfigError for overrides, common causes and annotations that cannot be."""
    known = tuple(rules)
    problems = [*_wrong_overrides(config, known), *_wrong_causes(config, known)]
    if problems:
        raise ConfigError(problems)
    return RuleBook(
        known, config.overrides, annotate=annotator(known, config.timezone), locale=f"{config.timezone} {__version__}"
    )


def annotator(rules: Iterable[Rule], zone: ZoneInfo) -> Annotate:
    """Compile the annotations of all rules at once; raises ConfigError with every fault, placed at its rule."""
    compiled: dict[str, Any] = {}
    problems: list[Problem] = []
    for rule in rules:
        try:
            compiled[rule.name] = compile_annotations(rule.annotations, zone=zone)
        except ConfigError as error:
            problems += [_placed(problem, rule) for problem in error.problems]
    if problems:
        raise ConfigError(problems)

    def annotate(rule: Rule, subject: Subject, labels: Mapping[str, str]) -> Mapping[str, str]:
        text: Mapping[str, str] = compiled[rule.name](subject, params=rule.params, labels=labels)
        return text

    return annotate


def _placed(problem: Problem, rule: Rule) -> Problem:
    return attrs.evolve(problem, file=str(rule.file), line=rule.line, column=0, path=f"{rule.name}.{problem.path}")


def _wrong_overrides(config: Config, rules: tuple[Rule, ...]) -> Iterable[Problem]:
    by_name = {rule.name: rule for rule in rules}
    for number, change in enumerate(config.overrides):
        rule = by_name.get(change.alert)
        file, path = str(config.file or ""), f"overrides[{number}]"
        if rule is None:
            cure = did_you_mean(change.alert, by_name)
            yield Problem(
                file=file, path=path, found=f"rule `{change.alert}`", expected="the name of a rule in force", cure=cure
            )
            continue
        try:
            rule.overridden(params=change.params, hold_duration=change.hold_duration)
        except ConfigError as error:
            yield from (attrs.evolve(problem, file=file, path=f"{path}.{problem.path}") for problem in error.problems)


def causes_of(config: Config, rules: Iterable[Rule] = ()) -> tuple[CommonCause, ...]:
    """Give the common causes, their texts compiled; raises ConfigError for texts that cannot be, and for names that rules have."""
    names = {rule.name for rule in rules}
    causes: list[CommonCause] = []
    problems: list[Problem] = []
    for number, entry in enumerate(config.common_causes):
        file, path = str(config.file or ""), f"common_causes[{number}]"
        if entry.alert in names:
            found, expected = f"`{entry.alert}`, which is a rule's name", "a name of its own"
            problems.append(Problem(file=file, path=f"{path}.alert", found=found, expected=expected))
        try:
            causes.append(entry.cause(partial(compile_for_children, zone=config.timezone)))
        except ConfigError as error:
            problems += [
                attrs.evolve(problem, file=file, line=0, path=f"{path}.{problem.path}") for problem in error.problems
            ]
    if problems:
        raise ConfigError(problems)
    return tuple(causes)


def _wrong_causes(config: Config, rules: tuple[Rule, ...]) -> tuple[Problem, ...]:
    try:
        causes_of(config, rules)
    except ConfigError as error:
        return error.problems
    return ()


def templates_of(config: Config) -> Templates:
    """Load the templates, the operator's before the shipped ones; raises ConfigError with everything wrong in them."""
    return Templates.load(config.templates, zone=config.timezone)
