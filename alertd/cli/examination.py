"""What `alertd check` finds: the configuration, then the rules and templates it names, as far as it could be read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from alertd.building import book_of, rules_of
from alertd.cli.budget import check_budget
from alertd.config import Config, Secrets, examine_config
from alertd.config.lint import lint
from alertd.config.places import place_of
from alertd.errors import ConfigError, Problem
from alertd.model.document import Document, Node
from alertd.render.environment import Templates
from alertd.rules.rule import RuleSet


@attrs.frozen
class Findings:
    """Everything wrong, and what was looked at: counts by what is counted, in the plural."""

    file: Path
    counts: Mapping[str, int]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        """How many problems stop alertd."""
        return sum(not problem.warning for problem in self.problems)

    @property
    def warnings(self) -> int:
        """How many do not."""
        return len(self.problems) - self.errors

    def lines(self) -> Iterator[str]:
        """Say it to a person: a summary, then each problem."""
        found = [_counted(self.errors, "errors")] if self.errors else []
        found += [_counted(self.warnings, "warnings")] if self.warnings else []
        seen = ", ".join(_counted(number, what) for what, number in self.counts.items())
        yield f"{self.file}: {' and '.join(found) or 'nothing wrong'} in {seen or 'what could be read'}"
        yield from (f"  {problem}" for problem in self.problems)

    def report(self) -> dict[str, Any]:
        """Say it to a program."""
        return {
            "file": str(self.file),
            "ok": not self.errors,
            "errors": self.errors,
            "warnings": self.warnings,
            "counts": dict(self.counts),
            "problems": [attrs.asdict(problem) for problem in self.problems],
        }


def _counted(number: int, plural: str) -> str:
    return f"{number} {plural if number != 1 else plural.removesuffix('s')}"


def examine(path: Path, secrets: Secrets) -> Findings:
    """Look at a configuration and everything it names."""
    config, problems = examine_config(path, secrets=secrets)
    if config is None:
        return Findings(path, {}, problems)
    complete = not _has_errors(problems)
    rules, rule_problems = _rules(config, complete=complete)
    templates, template_problems = _templates(config)
    counts = {
        "rules": len(rules.rules),
        "receivers": len(config.receivers),
        "tenants": len(config.tenants),
        "templates": templates,
    }
    found = _lint(config, path, rules) if complete else ()
    every = (*problems, *found, *_placed(rule_problems, path), *template_problems)
    return Findings(
        path, counts, tuple(dict.fromkeys(attrs.evolve(problem, file=_shown(problem.file)) for problem in every))
    )


def _lint(config: Config, path: Path, rules: RuleSet) -> tuple[Problem, ...]:
    """Look for what is allowed in the configuration itself and yet probably not meant."""
    document = Document.load(path, file=str(path))
    lint(config, document.root, rules.by_name)
    check_budget(config, document.root)
    return tuple(document.problems)


def _rules(config: Config, *, complete: bool) -> tuple[RuleSet, tuple[Problem, ...]]:
    """Load the rules and, if the configuration could be read completely, see whether its overrides fit them."""
    try:
        rules = rules_of(config)
    except ConfigError as error:
        return RuleSet(), error.problems
    try:
        book_of(config if complete else attrs.evolve(config, overrides=()), rules.rules)
    except ConfigError as error:
        return rules, (*rules.warnings, *error.problems)
    return rules, rules.warnings


def _placed(problems: tuple[Problem, ...], path: Path) -> tuple[Problem, ...]:
    """Give problems of overrides their place: whoever finds them knows the value, and no longer where it was written."""
    if all(problem.line for problem in problems):
        return problems
    root = Document.load(path).root
    return tuple(_at(problem, root, path) for problem in problems)


def _at(problem: Problem, root: Node, path: Path) -> Problem:
    if problem.line or Path(problem.file) != path.absolute():
        return problem
    steps = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", problem.path)]
    node = place_of(root, *steps)
    return attrs.evolve(problem, line=node.line, column=node.column)


def _templates(config: Config) -> tuple[int, tuple[Problem, ...]]:
    own = config.templates if config.templates and config.templates.is_dir() else None
    try:
        templates = Templates.load(own, zone=config.timezone)
    except ConfigError as error:
        return 0, error.problems
    return len(templates.sources), templates.check()


def _has_errors(problems: tuple[Problem, ...]) -> bool:
    return any(not problem.warning for problem in problems)


def _shown(file: str) -> str:
    """Give a path from where the reader stands, if it is below."""
    path = Path(file)
    return os.path.relpath(path) if file and path.is_absolute() and path.is_relative_to(Path.cwd()) else file
