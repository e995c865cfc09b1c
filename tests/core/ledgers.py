"""What an integration was told, how a group stands, and what is said then."""

from __future__ import annotations

from datetime import timedelta

import attrs

from alertd.model.alert import Alert
from alertd.model.notification import Reason, Withheld
from alertd.notify.decide import Decision, Ledger, Manner, Member, Standing, member

from .alerts import START, alert, announced_line, ended, event, told_line

NOW = START + timedelta(days=2)
DAY = timedelta(days=1)
MANNER = Manner(integration_id="ops/teams/default")
OFF = attrs.evolve(MANNER, send_resolved=False)
QUIETLY = attrs.evolve(MANNER, closes_silently=True)

FIRING, SILENT, ENDED, QUIET = Standing


def told(*names: str, episode: int = 1, absent: tuple[str, ...] = (), age: timedelta = timedelta(hours=1)) -> Ledger:
    """Give the ledger of an integration that was told these fire, `age` ago."""
    lines = {
        alert(name).fingerprint: told_line(alert(name).fingerprint, episode, NOW - age, name in absent)
        for name in (*names, *absent)
    }
    return Ledger(told=lines, last_message_at=NOW - age)


def acknowledged(*names: str, age: timedelta) -> Ledger:
    """Give the ledger of an integration that was told of these, and somebody has taken them on since."""
    return attrs.evolve(told(*names, age=age), acknowledged=True)


def announced(known: Ledger, *names: str, episode: int = 1) -> Ledger:
    """Give the ledger where messages about these went out, too, and were not accepted."""
    return attrs.evolve(known, announced=frozenset(announced_line(alert(name).fingerprint, episode) for name in names))


NOTHING = Ledger()
PRUNED = event()


def stand(*items: Alert | tuple[Alert, Withheld]) -> list[Member]:
    return [member(*item) if isinstance(item, tuple) else member(item) for item in items]


A, B, C = alert("A"), alert("B"), alert("C")
A_ENDED, B_ENDED = ended("A"), ended("B")
A_HELD = (A, Withheld.SILENCED)


def again(name: str, episode: int = 2, inherits_from: int = 1) -> Alert:
    return alert(name, episode=episode, inherits_from=inherits_from)


def names(alerts: tuple[Alert, ...]) -> str:
    return "".join(item.name for item in alerts)


def said(decision: Decision) -> tuple[Reason | Withheld | None, str, str]:
    """Give reason, what is listed as firing, what is listed as resolved."""
    resolved = tuple(entry.alert for entry in decision.resolved)
    return decision.reason or decision.withheld, names(decision.firing), names(resolved)


FIRST, NEW, SOME, ALL, REPEAT, LATE, EVENT = (
    Reason.FIRST_NOTIFICATION,
    Reason.NEW_ALERTS,
    Reason.SOME_RESOLVED,
    Reason.ALL_RESOLVED,
    Reason.REPEAT,
    Reason.LATE,
    Reason.EVENT,
)
UNCHANGED, EARLY, SR_OFF = Withheld.UNCHANGED, Withheld.RESOLVED_BEFORE_FIRST, Withheld.SEND_RESOLVED_OFF
