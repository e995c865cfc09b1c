"""What a person says about noise: silences and acknowledgements, written down in one transaction each.

The daemon calls them, or a command that holds the lock. Requests come over the control listener, so each is a mapping of plain
values; UsageError says what is wrong with one.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import attrs
import msgspec

from alertd.errors import UsageError
from alertd.model.alert import Alert
from alertd.notify.matchers import Matcher, parse_matcher
from alertd.notify.silences import Episode, Silence, SilenceState, episodes_of
from alertd.store.port import Store
from alertd.store.values import Acknowledgement, Announced, Conversation

Answer = Mapping[str, Any]
Action = Callable[[Store, Mapping[str, Any], datetime], Awaitable[Answer]]
Request = TypeVar("Request")

PREFIX_MIN = 4  # characters of an id that may stand for it


@attrs.frozen(kw_only=True)
class SilenceRequest:
    """A silence to be made. starts_at: null means now. ends_at: null only with `until_state_change`."""

    matchers: tuple[str, ...]
    created_by: str
    comment: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    until_state_change: bool = False


@attrs.frozen(kw_only=True)
class ExpireRequest:
    """A silence to be ended now, by its id or the beginning of it."""

    id: str


@attrs.frozen(kw_only=True)
class AcknowledgeRequest:
    """Alerts to be taken on: those that fire under this fingerprint or name."""

    alert: str
    created_by: str
    comment: str


async def add_silence(store: Store, arguments: Mapping[str, Any], now: datetime) -> Answer:
    """Make a silence; give its id and the alerts it holds back from the start."""
    request = _read(SilenceRequest, arguments)
    silence = _silence(request, now)
    async with store.transaction() as transaction:
        matched = [alert for alert in await transaction.firing_alerts() if silence.silences(alert)]
        if request.until_state_change:
            silence = attrs.evolve(silence, episodes=_required(matched))
        await transaction.save_silence(silence)
    return {"id": silence.id, "holds": [_named(alert) for alert in matched]}


async def expire_silence(store: Store, arguments: Mapping[str, Any], now: datetime) -> Answer:
    """End a silence now; what it held back and still fires is told at the next tick of its group."""
    request = _read(ExpireRequest, arguments)
    async with store.transaction() as transaction:
        silence = _found(await transaction.silences(), request.id)
        if silence.state(now) is SilenceState.EXPIRED:
            raise UsageError(f"silence {silence.id} has expired already")
        ended = attrs.evolve(silence, starts_at=min(silence.starts_at, now), ends_at=now)
        await transaction.save_silence(ended)
    return {"id": silence.id}


async def acknowledge(store: Store, arguments: Mapping[str, Any], now: datetime) -> Answer:
    """Take on the conversations in which these alerts are told: no reminders until their alerts change, and no escalation."""
    request = _read(AcknowledgeRequest, arguments)
    _require_author(request.created_by, request.comment, "an acknowledgement")
    taken = Acknowledgement(at=now, created_by=request.created_by.strip(), comment=request.comment.strip())
    async with store.transaction() as transaction:
        alerts = [
            alert for alert in await transaction.firing_alerts() if request.alert in {alert.name, alert.fingerprint}
        ]
        if not alerts:
            raise UsageError(
                f"no alert that fires has the name or fingerprint {request.alert!r}: `alertd alerts` shows them"
            )
        told = [talk for talk in await transaction.conversations() if _speaks_of(talk, alerts)]
        if not told:
            raise UsageError(f"nobody has been told of {request.alert} yet: `alertd silence add` holds it back")
        for talk in told:
            await transaction.save_conversation(attrs.evolve(talk, acknowledged=taken, taken=_lines(talk)))
    return {
        "alerts": [_named(alert) for alert in alerts],
        "integrations": sorted({talk.integration_id for talk in told}),
    }


ACTIONS: Mapping[str, Action] = {
    "silence_add": add_silence,
    "silence_expire": expire_silence,
    "acknowledge": acknowledge,
}


def _read(kind: type[Request], arguments: Mapping[str, Any]) -> Request:
    try:
        return msgspec.convert(arguments, type=kind)
    except msgspec.ValidationError as exc:
        raise UsageError(f"no request that can be read: {exc}") from exc


def _silence(request: SilenceRequest, now: datetime) -> Silence:
    starts_at = request.starts_at or now
    _require_author(request.created_by, request.comment, "a silence")
    if request.ends_at is None and not request.until_state_change:
        raise UsageError("a silence needs an end: a duration, an instant, or the end of the alerts it is made for")
    if request.ends_at is not None and not (now < request.ends_at and starts_at < request.ends_at):
        raise UsageError("a silence ends after it has begun, and not in the past")
    return Silence(
        id=str(uuid.uuid4()),
        matchers=_matchers(request.matchers),
        starts_at=starts_at,
        ends_at=request.ends_at,
        created_by=request.created_by.strip(),
        comment=request.comment.strip(),
    )


def _require_author(created_by: str, comment: str, what: str) -> None:
    if not comment.strip() or not created_by.strip():
        raise UsageError(f"{what} needs an author and a comment: others will wonder at the quiet")


def _speaks_of(talk: Conversation, alerts: Iterable[Alert]) -> bool:
    """Whether a conversation tells of one of these alerts, accepted or not."""
    return any(talk.tells_of(alert.fingerprint) for alert in alerts)


def _lines(talk: Conversation) -> tuple[Announced, ...]:
    """Give the episodes that a conversation tells of."""
    lines = {line.fingerprint: line.episode for line in talk.lines}
    return tuple(Announced(fingerprint=fingerprint, episode=episode) for fingerprint, episode in lines.items())


def _matchers(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """Read matchers, one of which at least must say something: those that hold for an alert without labels hold for everything."""
    matchers = tuple(_matcher(text) for text in texts)
    if all(matcher.matches({}) for matcher in matchers):
        raise UsageError("these matchers hold for every alert there is: name one label that must not be empty")
    return matchers


def _matcher(text: str) -> Matcher:
    try:
        return parse_matcher(text)
    except ValueError as exc:
        raise UsageError(f"{text!r} is no matcher; expected {exc}") from exc


def _required(matched: Iterable[Alert]) -> tuple[Episode, ...]:
    episodes = episodes_of(matched)
    if not episodes:
        raise UsageError("no alert that fires matches: a silence until the end of an alert is made while it fires")
    return episodes


def _found(silences: Iterable[Silence], wanted: str) -> Silence:
    known = tuple(silences)
    exact = [silence for silence in known if silence.id == wanted]
    near = [silence for silence in known if len(wanted) >= PREFIX_MIN and silence.id.startswith(wanted)]
    found = exact or near
    if len(found) != 1:
        what = "no silence" if not found else f"{len(found)} silences"
        raise UsageError(f"{what} with an id that begins with {wanted!r}: `alertd silence list` shows them")
    return found[0]


def _named(alert: Alert) -> str:
    subject = "/".join(
        alert.labels[name] for name in ("tenant", "service_principal", "job_id") if alert.labels.get(name)
    )
    return f"{alert.name} ({subject})" if subject else alert.name
