"""`alertd init`: a starter configuration to fill in."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from alertd.cli.options import CONFIG_DEFAULT, Command
from alertd.errors import UsageError


@click.command(
    cls=Command,
    epilog="\b\nExamples:\n  alertd init\n  alertd init /etc/alertd/alertd.yaml\n\n"
    "\b\nEnvironment:\n  none: the file is written where FILE says",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=CONFIG_DEFAULT)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(file: Path, force: bool) -> None:
    """Write a commented starter configuration to FILE (./alertd.yaml).

    It names files for its secrets, so it holds none. A file that is there is not touched without --force.
    """
    text = resources.files("alertd.cli").joinpath("starter.yaml").read_text(encoding="utf-8")
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="\n") as target:
            target.write(text)
    except FileExistsError:
        raise UsageError(f"{file} is there already; --force writes over it") from None
    except OSError as exc:
        raise UsageError(f"{file} cannot be written: {exc.strerror}") from exc
    click.echo(f"wrote {file}; fill in the three places marked <-, then try: alertd check", err=True)
