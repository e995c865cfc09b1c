"""`alertd alerts`: what is wrong now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option

_EPILOG = f"""\b
Examples:
  alertd alerts
  alertd alerts --all --json
  alertd alerts tenant=contoso 'severity=~"critical|error"'

{ENVIRONMENT}"""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("matchers", nargs=-1, metavar="MATCHER...")
@click.option("--all", "everything", is_flag=True, help="Also pending, baseline and just resolved ones.")
@json_option
@config_option
def alerts(matchers: tuple[str, ...], everything: bool, as_json: bool, config_path: Path) -> None:
    """List the alerts that fire, worst and oldest first; MATCHERS such as severity=critical narrow the list down."""
    from alertd.cli.looking import look, show
    from alertd.model.alert import SEVERITIES, Alert, State
    from alertd.notify.silences import silencer

    wanted = _parsed(matchers)

    now = datetime.now(UTC)

    async def ask(reader: Any, _config: Any) -> Any:  # noqa: ANN401
        return await reader.alerts(), await reader.conversations(), await reader.silences(ending_after=now)

    stored, talks, silences = look(config_path, ask)
    found: list[Alert] = [alert for alert in stored if everything or alert.state is State.FIRING]
    chosen = [alert for alert in found if all(matcher.matches(alert.labels) for matcher in wanted)]
    chosen.sort(key=lambda alert: (SEVERITIES.index(alert.severity), alert.startsAt or alert.activeSince))
    taken = _taken_on(talks)
    rows = [_row(alert, taken.get(alert.fingerprint), silencer(alert, silences, now)) for alert in chosen]
    show(rows, as_json=as_json, empty="no alert fires")


def _taken_on(talks: Any) -> dict[str, Any]:  # noqa: ANN401 - Conversations, imported late
    """Give who has acknowledged what, by fingerprint."""
    taken = (talk for talk in talks if talk.acknowledged is not None)
    return {line.fingerprint: talk.acknowledged for talk in taken for line in talk.lines}


def _parsed(matchers: tuple[str, ...]) -> list[Any]:
    from alertd.errors import UsageError
    from alertd.notify.matchers import parse_matcher

    parsed = []
    for text in matchers:
        try:
            parsed.append(parse_matcher(text))
        except ValueError as error:
            raise UsageError(f"{text!r} is no matcher; expected {error}") from error
    return parsed


def _row(alert: Any, taken: Any, silence: Any) -> dict[str, Any]:  # noqa: ANN401 - an Alert and what quiets it
    return {
        "state": str(alert.state),
        "severity": alert.severity,
        "alert": alert.name,
        "tenant": alert.labels.get("tenant", ""),
        "service_principal": alert.labels.get("service_principal", ""),
        "job_id": alert.labels.get("job_id", ""),
        "since": alert.startsAt or alert.activeSince,
        "summary": alert.annotations.get("summary", ""),
        "acknowledged": _words(taken),
        "silenced": _words(silence),
        "fingerprint": alert.fingerprint,
    }


def _words(quiet: Any) -> str | None:  # noqa: ANN401 - an Acknowledgement or a Silence
    return None if quiet is None else f"{quiet.created_by}: {quiet.comment}"
