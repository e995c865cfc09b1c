"""`alertd silence`: what nobody wants to hear of for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option


@click.group()
def silence() -> None:
    """What is not told for a while, by whose wish, and why."""


class Moment(click.ParamType[datetime]):
    """An instant such as 2026-01-05T18:00Z; without a zone it is local time."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        """Give the instant."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(str(value)).astimezone(UTC)
        except ValueError:
            self.fail(f"{value!r} is no instant such as 2026-01-05T18:00 (local time) or 2026-01-05T17:00Z", param, ctx)


class Length(click.ParamType[timedelta]):
    """A duration such as 90m, 2h or 1d12h."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401
        """Give the duration."""
        from alertd.model.duration import parse_duration

        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError:
            self.fail(f"{value!r} is no duration such as 90m, 2h or 1d12h", param, ctx)


_ADD = f"""\b
Examples:
  alertd silence add tenant=contoso --duration 2h --comment "change 4711"
  alertd silence add 'alertname=~"Escrows.*"' job_id=SF.1 --until 2026-01-05T18:00 --comment "import runs"
  alertd silence add alertname=JobQuarantined tenant=contoso --until-state-change --comment "we know"

{ENVIRONMENT}"""


@silence.command(cls=Command, epilog=_ADD)
@click.argument("matchers", nargs=-1, required=True, metavar="MATCHER...")
@click.option("--duration", type=Length(), metavar="DURATION", help="How long, from its start: 2h.")
@click.option("--until", type=Moment(), metavar="T", help="Until when: 2026-01-05T18:00, local time unless it says.")
@click.option("--starts", type=Moment(), metavar="T", help="From when on; now, if not given.")
@click.option(
    "--until-state-change", is_flag=True, help="Hold back what matches and fires now, each until it leaves this state."
)
@click.option("--comment", required=True, metavar="C", help="Why; for those who wonder at the quiet.")
@click.option("--author", metavar="NAME", help="Who wants it; who is logged in, if not given.")
@json_option
@config_option
def add(
    matchers: tuple[str, ...],
    *,
    duration: timedelta | None,
    until: datetime | None,
    starts: datetime | None,
    until_state_change: bool,
    comment: str,
    author: str | None,
    as_json: bool,
    config_path: Path,
) -> None:
    """Hold back messages about alerts that all MATCHERS match, and print the silence's id.

    Alerts live on, and whoever was told that one fires hears of its end. What still fires when the silence ends is told at the next tick of its
    group. It works beside a running daemon, and without one.
    """
    import json

    from alertd.cli import writing

    if duration is not None and until is not None:
        raise click.UsageError("--duration and --until both say the end: leave one of them out")
    ends = until if duration is None else (starts or datetime.now(UTC)) + duration
    request = {
        "matchers": list(matchers),
        "created_by": writing.author(author),
        "comment": comment,
        "starts_at": starts.isoformat() if starts else None,
        "ends_at": ends.isoformat() if ends else None,
        "until_state_change": until_state_change,
    }
    made = writing.act(config_path, "silence_add", request)
    click.echo(json.dumps(made, ensure_ascii=False, indent=2) if as_json else made["id"])
    if not as_json:
        held = made["holds"]
        click.echo(f"holds back: {', '.join(held)}" if held else "no alert that fires now matches", err=True)


@silence.command("list", cls=Command, epilog=f"\b\nExamples:\n  alertd silence list --expired --json\n\n{ENVIRONMENT}")
@click.option("--expired", is_flag=True, help="Also those that have ended, as long as history is kept.")
@json_option
@config_option
def list_(expired: bool, as_json: bool, config_path: Path) -> None:
    """List silences that hold something back or will, with what each holds back now."""
    from alertd.cli.looking import look, show
    from alertd.notify.silences import outlived

    now = datetime.now(UTC)

    async def ask(reader: Any, _config: Any) -> tuple[Any, Any]:  # noqa: ANN401
        return await reader.silences(ending_after=None if expired else now), await reader.firing_alerts()

    found, firing = look(config_path, ask)
    over = {one.id for one in outlived(found, firing)}
    rows = [_row(one, firing, now, over=one.id in over) for one in found if expired or one.id not in over]
    show(rows, as_json=as_json, empty="no silence")


def _row(one: Any, firing: Any, now: datetime, *, over: bool) -> dict[str, Any]:  # noqa: ANN401 - a Silence, imported late
    return {
        "id": one.id,
        "state": "expired" if over else str(one.state(now)),
        "matchers": [str(matcher) for matcher in one.matchers],
        "starts": one.starts_at,
        "ends": one.ends_at,
        "until_state_change": bool(one.episodes),
        "holds": 0 if over or not one.in_force(now) else sum(one.silences(alert) for alert in firing),
        "author": one.created_by,
        "comment": one.comment,
    }


@silence.command(cls=Command, epilog=f"\b\nExamples:\n  alertd silence expire 3f2a\n\n{ENVIRONMENT}")
@click.argument("id_", metavar="ID")
@config_option
def expire(id_: str, config_path: Path) -> None:
    """End a silence now; the first characters of its ID do, if no other begins with them."""
    from alertd.cli import writing

    click.echo(writing.act(config_path, "silence_expire", {"id": id_})["id"])
