"""What people want quiet: silences, and what somebody has acknowledged. Looked at, never changed, from here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import attrs

from alertd.model.alert import Alert, State
from alertd.notify.silences import Silence, SilenceState, outlived
from alertd.store.port import Reader


@attrs.frozen(kw_only=True)
class SilenceNow:
    """A silence as it stands. holds: alerts that fire and that it holds back, by fingerprint."""

    silence: Silence
    state: SilenceState
    holds: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Acknowledged:
    """A conversation that somebody has taken on: no reminders go to its integration until its alerts change.

    alerts: what it was told fires, by fingerprint.
    """

    integration_id: str
    group_key: str
    alerts: tuple[str, ...]
    at: datetime
    created_by: str
    comment: str


@attrs.frozen(kw_only=True)
class Quiet:
    """All of it. silences: active ones first, those that end first before others; without those that are over."""

    silences: tuple[SilenceNow, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()

    def silenced_by(self, alert: Alert) -> tuple[str, ...]:
        """Give the ids of the silences that hold an alert back now."""
        return tuple(one.silence.id for one in self.silences if alert.fingerprint in one.holds)

    def acknowledged_by(self, alert: Alert) -> tuple[str, ...]:
        """Give who has taken an alert on."""
        return tuple(sorted({one.created_by for one in self.acknowledged if alert.fingerprint in one.alerts}))


async def quiet(reader: Reader, alerts: Sequence[Alert], now: datetime) -> Quiet:
    """Look at what is quiet now. alerts: all that are live."""
    silences = await silences_now(reader, alerts, now)
    talks = [talk for talk in await reader.conversations() if talk.acknowledged is not None]
    taken = [
        Acknowledged(
            integration_id=talk.integration_id,
            group_key=talk.group_key,
            alerts=tuple(line.fingerprint for line in talk.told),
            at=talk.acknowledged.at,
            created_by=talk.acknowledged.created_by,
            comment=talk.acknowledged.comment,
        )
        for talk in talks
        if talk.acknowledged is not None
    ]
    return Quiet(silences=silences, acknowledged=tuple(sorted(taken, key=lambda one: (one.at, one.integration_id))))


async def silences_now(
    reader: Reader, alerts: Sequence[Alert], now: datetime, *, expired: bool = False
) -> tuple[SilenceNow, ...]:
    """Give the silences; expired: also those that are over, as long as they are kept."""
    firing = [alert for alert in alerts if alert.state is State.FIRING]
    found = await reader.silences(ending_after=None if expired else now)
    over = {one.id for one in outlived(found, firing)}
    looked = [_looked_at(one, firing, now, over=one.id in over) for one in found]
    shown = [one for one in looked if expired or one.state is not SilenceState.EXPIRED]
    return tuple(
        sorted(shown, key=lambda one: (_ORDER[one.state], one.silence.ends_at is None, _end(one), one.silence.id))
    )


_ORDER = {SilenceState.ACTIVE: 0, SilenceState.PENDING: 1, SilenceState.EXPIRED: 2}


def _end(one: SilenceNow) -> datetime:
    return one.silence.ends_at or one.silence.starts_at


def _looked_at(silence: Silence, firing: Sequence[Alert], now: datetime, *, over: bool) -> SilenceNow:
    state = SilenceState.EXPIRED if over else silence.state(now)
    if state is not SilenceState.ACTIVE:
        return SilenceNow(silence=silence, state=state)
    holds = tuple(alert.fingerprint for alert in firing if silence.silences(alert))
    return SilenceNow(silence=silence, state=state, holds=holds)
