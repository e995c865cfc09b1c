"""What is compared: the rules and routes in force, and what they would be with other files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from alertd.building import rules_of
from alertd.config import BUILTIN, Config
from alertd.errors import ConfigError, Problem
from alertd.rehearsal.setting import Setting
from alertd.rules.loader import load_rules
from alertd.rules.rule import Rule
from alertd.rules.shipped import builtin_rules


def current_setting(config: Config) -> Setting:
    """Give the rules and routes of a configuration; raises ConfigError."""
    return Setting.of(rules_of(config).rules, config)


def candidate_setting(config: Config, files: Sequence[str], *, only: bool = False) -> Setting:
    """Give a configuration's routes and rules with those of some files laid over: a rule of the same name is replaced, others are added.

    files: paths, or the word `builtin`. only: the files' rules alone. Raises ConfigError with everything wrong in any of them.
    """
    added = load_rules(_paths(files)).rules
    rules = added if only else _laid_over(rules_of(config).rules, added)
    return Setting.of(rules, config)


def _laid_over(known: Iterable[Rule], added: Iterable[Rule]) -> tuple[Rule, ...]:
    by_name = {rule.name: rule for rule in known}
    return tuple((by_name | {rule.name: rule for rule in added}).values())


def _paths(files: Sequence[str]) -> tuple[Path, ...]:
    chosen: list[Path] = []
    for file in files:
        chosen += builtin_rules() if file == BUILTIN else [Path(file)]
    missing = [path for path in chosen if not path.is_file()]
    if missing:
        cure = "name a file of rules, or `builtin` for the shipped ones"
        raise ConfigError([Problem(file=str(path), found="no such file", cure=cure) for path in missing])
    return tuple(dict.fromkeys(chosen))
