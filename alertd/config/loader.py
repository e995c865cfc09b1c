"""From a YAML file to a `Config`: every problem at once, with file, line and cure, or a value whose parts fit each other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from alertd.config.context import Context, Secrets
from alertd.config.environment import Environment
from alertd.config.references import check_references, with_clouds
from alertd.config.root import Config
from alertd.config.shape import shape_of
from alertd.errors import ConfigError, Problem
from alertd.model.document import Document


def load_config(
    path: Path | str, *, environment: Mapping[str, str] | None = None, secrets: Secrets = Secrets.LAZY
) -> Config:
    """Read a configuration file and the files it names.

    environment: what ``${VAR}`` is filled from; by default the process's. secrets: whether they are looked at now, later, or not at all.
    Raises ConfigError with all problems, warnings among them.
    """
    config, problems = examine_config(path, environment=environment, secrets=secrets)
    return _fit_for_use(config, problems)


def parse_config(
    text: str, *, directory: Path, environment: Mapping[str, str] | None = None, secrets: Secrets = Secrets.LAZY
) -> Config:
    """Read a configuration from a text; relative paths are relative to `directory`. Raises ConfigError."""
    filler = Environment(environment or {}, lenient=secrets is Secrets.IGNORE)
    document = Document.parse(text, fill=filler)
    context = Context(directory=directory.absolute(), environment=filler, secrets=secrets)
    return _fit_for_use(*_read(document, context))


def examine_config(
    path: Path | str, *, environment: Mapping[str, str] | None = None, secrets: Secrets = Secrets.LAZY
) -> tuple[Config | None, tuple[Problem, ...]]:
    """Read a configuration file to find everything wrong with it: what could be read, and the problems.

    With errors among the problems harmless values stand where something could not be read, so it is fit for looking on, not for use;
    None where nothing could be read at all.
    """
    path = Path(path)
    variables = os.environ if environment is None else environment
    filler = Environment(variables, lenient=secrets is Secrets.IGNORE)
    document = Document.load(path, file=str(path), fill=filler)
    config, problems = _read(document, Context.of_file(path, filler, secrets))
    return config and attrs.evolve(config, file=path.absolute()), problems


def _read(document: Document, context: Context) -> tuple[Config | None, tuple[Problem, ...]]:
    if document.problems:  # no YAML, or no file: nothing below is worth a word
        return None, tuple(document.problems)
    config = shape_of(Config).read(document.root, context)
    check_references(config, document.root)
    return with_clouds(config), _told(document.problems, context.environment)


def _fit_for_use(config: Config | None, problems: tuple[Problem, ...]) -> Config:
    if config is None or any(not problem.warning for problem in problems):
        raise ConfigError(problems)
    return attrs.evolve(config, warnings=problems)


def _told(problems: Iterable[Problem], environment: Environment) -> tuple[Problem, ...]:
    """Give the problems by file in the order of reading, and line.

    At one place only the first error is told, for what follows there follows from it; and none about a value that an unset variable
    stands for.
    """
    told: list[Problem] = []
    faulty: set[tuple[str, str]] = set()
    for problem in dict.fromkeys(problems):
        place = (problem.file, problem.path)
        if place not in faulty and not _unset(problem, environment):
            told.append(problem)
            faulty |= set() if problem.warning else {place}
    files = list(dict.fromkeys(problem.file for problem in told))
    return tuple(sorted(told, key=lambda problem: (files.index(problem.file), problem.line, problem.column)))


def _unset(problem: Problem, environment: Environment) -> bool:
    return any(text in problem.found or f"`{text[:59]}…`" in problem.found for text in environment.unset)
