"""The program around the commands: finding them, printing errors, exit codes.

Exit codes: 0 fine, 1 a finding or a failure, 2 wrong use or bad configuration, 130 interrupted. stdout is data, stderr is for people.
Nothing heavy is imported here: help and completion load no command but the one that is asked for.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from alertd.cli.registry import COMMANDS, Entry

EXIT_FINE, EXIT_FINDING, EXIT_WRONG, EXIT_INTERRUPTED = 0, 1, 2, 130

_EPILOG = """\b
Environment:
  ALERTD_CONFIG   the configuration file, in place of ./alertd.yaml
\b
Exit codes: 0 fine, 1 a finding or a failure, 2 wrong use or bad configuration."""


class Program(click.Group):
    """A group that knows its commands from the table and loads one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Give the names, in the table's order."""
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a command."""
        entry = next((entry for entry in COMMANDS if entry.name == cmd_name), None)
        return None if entry is None else _load(entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.list_commands(ctx):
            from alertd.model.suggestion import did_you_mean

            raise click.UsageError(f"no command `{name}`; {did_you_mean(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands with their lines of the table, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in COMMANDS])


def _load(entry: Entry) -> click.Command:
    module, _, attribute = entry.target.partition(":")
    command: click.Command = getattr(importlib.import_module(f"alertd.cli.{module}"), attribute)
    return command


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001 - click's signature
    if value:
        from alertd import __version__

        click.echo(f"alertd {__version__}")
        ctx.exit(EXIT_FINE)


@click.group(
    cls=Program, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show where in the program an error arose.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and stop.",
)
def program() -> None:
    """Alerts for Microsoft Entra provisioning jobs: once per incident, with reminders and an all-clear."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and leave the process with its exit code."""
    speak_utf8()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; give the exit code. Errors have been told on stderr then."""
    try:
        with program.make_context("alertd", list(arguments)) as ctx:
            code = program.invoke(ctx)
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.ClickException as exc:
        exc.show()
        return EXIT_WRONG if isinstance(exc, click.UsageError) else EXIT_FINDING
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    except Exception as exc:  # noqa: BLE001 - the edge of the program: whatever it is, a person reads it
        return _failed(exc, debug="--debug" in arguments)
    return code if isinstance(code, int) else EXIT_FINE


def _failed(exc: Exception, *, debug: bool) -> int:
    from alertd.cli.failure import tell_failure

    return tell_failure(exc, debug=debug)


def _reader_left() -> int:
    """Whoever read our output (`| head`) has gone; Python would complain again when it flushes at exit.

    Not everything was said, so it is no success: `alertd test | head` in a build must not pass for one.
    Source: https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_FINDING


def speak_utf8() -> None:
    """Write UTF-8 wherever we write, also into a pipe on Windows; what a terminal cannot show is escaped, never an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
