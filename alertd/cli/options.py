"""What commands share: the configuration's option, `--json`, `--debug`, and the class that adds the latter to each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

CONFIG_DEFAULT = "alertd.yaml"
ENVIRONMENT = """\b
Environment:
  ALERTD_CONFIG   the configuration file, in place of ./alertd.yaml"""

F = TypeVar("F", bound=Callable[..., Any])


class Command(click.Command):
    """A command with `--debug`, so that it may stand behind the command's name as well as before it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(*arguments, **options)
        text = "Show where in the program an error arose."
        self.params.append(click.Option(["--debug"], is_flag=True, expose_value=False, help=text))


def config_option(function: F) -> F:
    """Add ``-c/--config FILE``, passed as `config_path`."""
    return click.option(
        "-c",
        "--config",
        "config_path",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="ALERTD_CONFIG",
        default=CONFIG_DEFAULT,
        show_default=True,
        metavar="FILE",
        help="The configuration.",
    )(function)


def json_option(function: F) -> F:
    """Add ``--json``, passed as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="JSON on stdout, for programs.")(function)
