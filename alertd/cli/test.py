"""`alertd test`: the rules' own tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alertd.cli.options import Command
from alertd.cli.program import EXIT_FINDING, EXIT_FINE
from alertd.errors import ConfigError, Problem, UsageError

if TYPE_CHECKING:
    from alertd.rehearsal.file import RehearsalFile
    from alertd.rehearsal.runner import FileResult

_EPILOG = """\b
Examples:
  alertd test rules/tests/*.yaml
  alertd test tests/quarantine.yaml --run 'pages once'
  alertd test tests/*.yaml --junit results.xml

Exit codes: 0 all pass, 1 some fail, 2 a file that does not parse or has unknown keys."""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--run", "pattern", metavar="REGEX", help="Only the tests in whose names this is found.")
@click.option(
    "--junit",
    "junit",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the results as JUnit XML.",
)
def test(files: Sequence[Path], pattern: str | None, junit: Path | None) -> int:
    """Run the unit tests of rules and notifications.

    A test lets jobs go through a timeline and says which alerts should stand at a moment, and which notifications people
    should have got. The clock is virtual: weeks take milliseconds. Nothing is polled and nothing is sent.
    """
    import asyncio

    chosen = _compiled(pattern)
    results = asyncio.run(_run(_read(files), chosen))
    click.echo(_summary(results))
    if chosen is not None and not any(result.results for result in results):
        click.echo(f"no test has a name in which `{pattern}` is found", err=True)
    if junit is not None:
        from alertd.rehearsal.junit import write_junit

        write_junit(junit, results)
    passed = all(one.verdict.passed for result in results for one in result.results)
    return EXIT_FINE if passed else EXIT_FINDING


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as exc:
        raise UsageError(f"`{pattern}` is no regular expression: {exc}") from exc


def _read(files: Iterable[Path]) -> list[RehearsalFile]:
    """Read all files; raises ConfigError with the problems of all of them."""
    from alertd.rehearsal.file import read_file

    found: list[RehearsalFile] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(files):
        try:
            found.append(read_file(path))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return found


async def _run(files: Iterable[RehearsalFile], chosen: re.Pattern[str] | None) -> list[FileResult]:
    from alertd.rehearsal.runner import run_file

    results = []
    for file in files:
        results.append(await run_file(file, chosen))
        _tell(results[-1])
    return results


def _tell(result: FileResult) -> None:
    from alertd.rehearsal.report import report

    for one in result.results:
        for line in report(one.verdict, result.path):
            click.echo(line)


def _summary(results: Sequence[FileResult]) -> str:
    verdicts = [one.verdict for result in results for one in result.results]
    failed = sum(not verdict.passed for verdict in verdicts)
    seconds = sum(one.seconds for result in results for one in result.results)
    number = f"{len(verdicts)} test{'s' if len(verdicts) != 1 else ''}"
    told = f"{number}, {failed} failed" if failed else f"{number} passed"
    return f"{told} in {seconds:.2f} s"
