"""The body of Alertmanager's webhooks, version 4, as both send it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.differential.case import BEAT, Message


def read_message(body: Any, beat: int, receiver: str, webhook: int, start: datetime) -> Message:
    """Read a body that was sent at `beat`; raises AssertionError where its parts do not fit together."""
    alerts = body["alerts"]
    common = {
        name: value
        for name, value in alerts[0]["labels"].items()
        if all(a["labels"].get(name) == value for a in alerts)
    }
    assert body["version"] == "4"
    assert body["commonLabels"] == common
    assert all(body["groupLabels"].items() <= alert["labels"].items() for alert in alerts)
    firing = [alert for alert in alerts if alert["status"] == "firing"]
    resolved = [alert for alert in alerts if alert["status"] == "resolved"]
    assert len(firing) + len(resolved) == len(alerts)
    return Message(
        beat=beat,
        receiver=receiver,
        webhook=webhook,
        group=tuple(sorted(body["groupLabels"].items())),
        status=body["status"],
        firing=tuple(sorted((_name(alert), _beat(alert["startsAt"], start)) for alert in firing)),
        resolved=tuple(
            sorted((_name(alert), _beat(alert["startsAt"], start), _beat(alert["endsAt"], start)) for alert in resolved)
        ),
    )


def _name(alert: Any) -> str:
    name: str = alert["labels"]["instance"]
    return name


def _beat(text: str, start: datetime) -> int:
    return round((datetime.fromisoformat(text) - start) / BEAT)
