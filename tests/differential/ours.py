"""A case through alertd: its own configuration, life-cycle, decisions, outbox and rendering, under a clock that jumps from beat to beat."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import attrs

from alertd.alerts.judgement import Move
from alertd.alerts.lifecycle import Conditions, advance
from alertd.config import Secrets, parse_config
from alertd.engine.delivering import Delivering
from alertd.engine.flushing import Flushing
from alertd.engine.recording import record
from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model import alert as model
from alertd.model.notification import Notification, Rendered
from alertd.notify import silences
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.port import Accepted, Channel, Integration
from alertd.notify.channels.registry import Services
from alertd.notify.matchers import parse_matcher
from alertd.notify.outcome import DeliveryPolicy
from alertd.parts import channels_of, routing_of
from alertd.render.environment import Templates
from alertd.store.memory import MemoryStore
from tests.differential.case import BEAT, END, Alert, Case, Message, Messages, Silence
from tests.differential.documents import alertd_config, case_matcher
from tests.differential.webhook import read_message


class Told:
    """A webhook of alertd's whose messages are kept instead of sent."""

    def __init__(self, channel: Channel, told: list[tuple[datetime, Integration, Any]], up_from: datetime) -> None:
        self.integration = channel.integration
        self._channel = channel
        self._told = told
        self._up_from = up_from

    def render(self, notification: Notification) -> Rendered:
        """Render as the webhook does."""
        return self._channel.render(notification)

    async def send(self, rendered: Rendered, *, now: datetime, **_: object) -> Accepted:
        """Keep what would be sent; raises DeliveryError while it is down."""
        if now < self._up_from:
            raise DeliveryError(DeliveryFailureReason.SERVER_ERROR, "answered 503", retriable=True)
        self._told.append((now, self.integration, json.loads(rendered.body)))
        return Accepted()

    async def check(self) -> Accepted:
        """Be there."""
        return Accepted()

    async def close(self) -> None:
        """Hold nothing open."""


class Ours:
    """A case being played by alertd."""

    def __init__(self, case: Case, start: datetime, templates: Templates) -> None:
        config = parse_config(alertd_config(case, start), directory=Path(), secrets=Secrets.IGNORE)
        services = Services(templates=templates, http=ReceiverHttp(trust=_unused), tokens=_NoTokens())
        self._told: list[tuple[datetime, Integration, Any]] = []
        up_from = start + case.down * BEAT
        made = channels_of(config, services)
        channels = {key: Told(channel, self._told, up_from) for key, channel in made.items()}
        self._case, self._start = case, start
        self._routing = routing_of(config, channels)
        self._store = MemoryStore()
        self._flushing = Flushing(self._store, self._routing, channels, DeliveryPolicy())
        self._delivering = Delivering(self._store, self._flushing, channels, DeliveryPolicy(), chance=lambda: 0.0)

    async def play(self) -> Messages:
        """Play the case to its end."""
        await self._silence(self._case.silences)
        for beat in range(END):
            await self._change(beat)
            await self._work(self._start + beat * BEAT)
        return tuple(sorted(self._message(*told) for told in self._told))

    async def _change(self, beat: int) -> None:
        changing = [
            (alert, span.appears == beat)
            for alert in self._case.alerts
            for span in alert.spans
            if beat in {span.appears, span.ends}
        ]
        if not changing:
            return
        now = self._start + beat * BEAT
        async with self._store.transaction() as transaction:
            known = {alert.identity.job_id: alert for alert in await transaction.alerts()}
            moves = [Move(known.get(alert.name), self._moved(known, alert, now, active=on)) for alert, on in changing]
            await record(transaction, moves, (), self._routing, now)

    def _moved(
        self, known: Mapping[str, model.Alert], alert: Alert, now: datetime, *, active: bool
    ) -> model.Alert | None:
        conditions = Conditions(
            identity=model.Identity(rule=alert.labels["alertname"], tenant_key="global/1", job_id=alert.name),
            active=active,
            cleared=not active,
            severity=alert.labels["severity"],
            labels=alert.labels,
            evidence=model.Evidence(observed_to=now),
        )
        return advance(known.get(alert.name), conditions, now)

    async def _work(self, now: datetime) -> None:
        """Flush and deliver what is due, and what that gives occasion to."""
        while await self._flushing.flush_due(now) + await self._deliver(now):
            pass

    async def _deliver(self, now: datetime) -> int:
        """Make the attempts that are due; give how many were made."""
        claimed = [await self._delivering.claim(due.delivery_id, now) for due in await self._delivering.due(now, 1000)]
        taken = [delivery for delivery in claimed if delivery is not None]
        for delivery in taken:
            await self._delivering.finish(delivery.id, await self._delivering.send(delivery, now), now)
        return len(taken)

    async def _silence(self, made: Iterable[Silence]) -> None:
        async with self._store.transaction() as transaction:
            for number, silence in enumerate(made):
                await transaction.save_silence(
                    silences.Silence(
                        id=f"silence-{number}",
                        matchers=tuple(parse_matcher(text) for text in (case_matcher(self._case), *silence.matchers)),
                        starts_at=self._start + silence.starts * BEAT,
                        ends_at=self._start + silence.ends * BEAT,
                        created_by="somebody",
                        comment="a comparison",
                    )
                )

    def _message(self, at: datetime, integration: Integration, body: Any) -> Message:
        receiver = integration.receiver.rpartition("-")[2]
        return read_message(body, (at - self._start) // BEAT, receiver, int(integration.name), self._start)


@attrs.frozen
class _NoTokens:
    async def header(self, tenant: str, scope: str, *, rejected: str | None = None) -> str:
        _unused()


def _unused() -> NoReturn:
    raise AssertionError("nothing is sent")
