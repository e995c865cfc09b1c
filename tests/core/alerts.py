"""Alerts and events as tests need them: a name, labels, and whatever differs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from alertd.model.alert import Alert, Ended, Event, Identity, State
from alertd.store.values import Announced, Told

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def alert(
    name: str = "JobQuarantined",
    job: str = "SF.1",
    *,
    state: State = State.FIRING,
    episode: int = 1,
    labels: Mapping[str, str] | None = None,
    **more: object,
) -> Alert:
    """Give an alert that has been firing since START, unless told otherwise."""
    began = {} if state in {State.PENDING, State.BASELINE} else {"startsAt": START}
    return Alert(
        identity=Identity(rule=name, tenant_key="global/1", service_principal_id="sp-1", job_id=job),
        state=state,
        severity="critical",
        labels={"alertname": name, "job_id": job} if labels is None else labels,
        episode=episode,
        **{"activeSince": START, **began, **more},
    )


def ended(
    name: str = "JobQuarantined",
    job: str = "SF.1",
    *,
    how: Ended = Ended.RESOLVED,
    at: datetime = START + timedelta(hours=1),
    **more: object,
) -> Alert:
    """Give an alert that has come to its end."""
    return alert(name, job, **{"state": State.RESOLVED, "ended": how, "endsAt": at, **more})


def event(
    name: str = "EscrowsPruned", job: str = "SF.1", *, sequence: int = 1, labels: Mapping[str, str] | None = None
) -> Event:
    """Give an event at START."""
    return Event(
        identity=Identity(rule=name, tenant_key="global/1", service_principal_id="sp-1", job_id=job),
        sequence=sequence,
        at=START,
        severity="error",
        labels={"alertname": name, "job_id": job} if labels is None else labels,
    )


def told_line(fingerprint: str, episode: int = 1, at: datetime = START, absent: bool = False) -> Told:
    """Give a line of the told-ledger."""
    return Told(fingerprint=fingerprint, episode=episode, at=at, absent=absent)


def announced_line(fingerprint: str, episode: int = 1) -> Announced:
    """Name an episode that a message spoke of."""
    return Announced(fingerprint=fingerprint, episode=episode)
