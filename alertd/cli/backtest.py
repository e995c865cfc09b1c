"""`alertd backtest`: what other rules would have told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alertd.cli.looking import Since, look, show
from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option
from alertd.errors import UsageError

if TYPE_CHECKING:
    from alertd.backtest.comparison import Comparison
    from alertd.config import Config
    from alertd.rehearsal.setting import Setting

_EPILOG = f"""\b
Examples:
  alertd backtest --rules rules/streak.yaml
  alertd backtest --rules rules/*.yaml --since 7d --json
  alertd backtest --with new-routes.yaml --since 30d

{ENVIRONMENT}"""


@click.command(cls=Command, epilog=_EPILOG)
@click.option("--rules", "files", multiple=True, metavar="FILE...", help="Rules to try; `builtin`: the shipped ones.")
@click.argument("more", nargs=-1, metavar="")
@click.option("--only", is_flag=True, help="Try these rules alone, without those in force that they do not replace.")
@click.option(
    "--with",
    "other",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A configuration to try: its routes, overrides, inhibition and rules.",
)
@click.option("--since", type=Since(), default="30d", show_default=True, help="A duration ago, or an instant.")
@click.option("--until", type=Since(), help="A duration ago, or an instant; now by default.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="How many differences to print."
)
@json_option
@config_option
def backtest(
    *,
    files: tuple[str, ...],
    more: tuple[str, ...],
    only: bool,
    other: Path | None,
    since: datetime,
    until: datetime | None,
    limit: int,
    as_json: bool,
    config_path: Path,
) -> None:
    """Play stored history through other rules or routes, and print what they would have told beside what those in force would.

    Rules in the files replace those of the same name; the others stay, so that inhibition and groups are as they would be.
    The same code as in the daemon decides; nothing is sent and nothing is written.
    """
    chosen = (*files, *more)
    if not chosen and other is None:
        raise UsageError("nothing to try: name files with --rules, or a configuration with --with")
    if only and not chosen:
        raise UsageError("--only needs --rules: it leaves out every rule that is not in these files")

    async def ask(reader: Any, config: Config) -> tuple[Comparison, Setting, Setting]:  # noqa: ANN401 - a Reader
        return await _compare(reader, config, chosen, other, only=only, since=since, until=until)

    comparison, current, candidate = look(config_path, ask)
    if as_json:
        _print_json(comparison, current, candidate)
    else:
        _print(comparison, limit)


async def _compare(
    reader: Any,  # noqa: ANN401 - a Reader, imported late
    config: Config,
    files: tuple[str, ...],
    other: Path | None,
    *,
    only: bool,
    since: datetime,
    until: datetime | None,
) -> tuple[Comparison, Setting, Setting]:
    from alertd.backtest.candidate import candidate_setting, current_setting
    from alertd.backtest.runner import backtest as run
    from alertd.cli.progress import tenants_progress
    from alertd.cli.reading import read_config
    from alertd.config import Secrets

    current = current_setting(config)
    candidate = candidate_setting(config if other is None else read_config(other, Secrets.IGNORE), files, only=only)
    with tenants_progress() as report:
        comparison = await run(
            reader,
            config,
            current,
            candidate,
            since=since,
            until=until or datetime.now(UTC),
            progress=lambda done, of: report("rounds", done, of),
        )
    return comparison, current, candidate


def _print_json(comparison: Comparison, current: Setting, candidate: Setting) -> None:
    import json

    from alertd.backtest.report import report, summaries

    told = report(comparison, {"current": summaries(current), "candidate": summaries(candidate)})
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


def _print(comparison: Comparison, limit: int) -> None:
    from alertd.backtest.report import count_rows, difference_lines, fault_lines, heading

    click.echo(heading(comparison))
    show(count_rows(comparison), as_json=False, empty="no rule fired on either side")
    for line in (*difference_lines(comparison, limit), *fault_lines(comparison)):
        click.echo(line)
    if not comparison.differences:
        click.echo("the same would have been told")
