"""Errors as a person reads them: plain lines, the chain of causes, what to do; the traceback waits for --debug."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import click

from alertd.cli.program import EXIT_FINDING, EXIT_WRONG
from alertd.errors import AlertdError, ConfigError, UsageError
from alertd.redaction import redact


def tell_failure(exc: Exception, *, debug: bool) -> int:
    """Tell an error on stderr and give the exit code."""
    if debug:
        click.echo(redact("".join(traceback.format_exception(exc))), err=True)
    if isinstance(exc, ConfigError):
        click.echo("\n".join(problem_lines(exc)), err=True)
        return EXIT_WRONG
    click.echo(redact("\n".join(_lines(exc))), err=True)
    if not isinstance(exc, AlertdError) and not debug:
        click.echo("this is a fault in alertd; the same command with --debug shows where", err=True)
    return EXIT_WRONG if isinstance(exc, UsageError) else EXIT_FINDING


def problem_lines(exc: ConfigError) -> list[str]:
    """Give one line per problem, and their number where there are several."""
    errors = sum(not problem.warning for problem in exc.problems)
    return [*map(str, exc.problems), *([f"{errors} errors"] if errors > 1 else [])]


def _lines(exc: Exception) -> Iterator[str]:
    yield f"error: {_words(exc)}"
    cure = getattr(exc, "cure", "")
    if cure:
        yield f"  {cure}"
    cause = exc.__cause__
    while cause is not None:
        yield f"  because: {_words(cause)}"
        cause = cause.__cause__


def _words(exc: BaseException) -> str:
    text = str(exc)
    if isinstance(exc, AlertdError):
        return text
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__
