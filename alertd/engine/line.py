"""Whose turn it is: the service principals of a tenant in the order in which a round asks them. Pure.

Where a round cannot ask everybody, those go first that have waited longest, measured in their own interval: one that has jobs is due in every
round, one without at every discovery. Waiting only grows, so everybody comes to the front in the end, however short the budget is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from alertd.alerts.next_look import ANSWERED, asked_at
from alertd.store.values import PrincipalRecord, TenantRecord


@attrs.frozen
class Turn:
    """A service principal in line.

    asked_at: its latest turn, null where it never had one. answered: that one was good. often: due in every round, not at discoveries alone.
    """

    principal_id: str
    asked_at: datetime | None
    answered: bool
    often: bool


def is_in_line(principal: PrincipalRecord, *, everyone: bool = False) -> bool:
    """Say whether a round has to do with a service principal.

    In line are those that have or ever had jobs, that have not answered yet, or that a round before has left out; `everyone` adds the others.
    """
    return principal.watched and (_often(principal) or everyone or principal.asked_at is not None)


def turn_of(principal: PrincipalRecord, tenant: TenantRecord) -> Turn:
    """Give the place in line of a service principal that is in it."""
    asked, answered = asked_at(principal, tenant), principal.outcome == ANSWERED
    return Turn(principal.principal.id, asked, answered, _often(principal))


def in_order(turns: Iterable[Turn], now: datetime, *, interval: timedelta, discovery_interval: timedelta) -> list[Turn]:
    """Sort a line: those never asked, then those that have waited longest.

    Among the first two is a `witness`, if there is one: not the very first, so that a budget for one request a round starves nobody.
    """

    def place(turn: Turn) -> tuple[float, str]:
        if turn.asked_at is None:
            return float("-inf"), turn.principal_id
        return (turn.asked_at - now) / (interval if turn.often else discovery_interval), turn.principal_id

    line = sorted(turns, key=place)
    found = next((index for index, turn in enumerate(line) if _can_witness(turn)), 0)
    if found > 1:
        line.insert(1, line.pop(found))
    return line


def witness(line: Sequence[Turn]) -> Turn | None:
    """Give the one that is asked beside those that never answer, out of a line in order: it answered last time.

    A round in which nobody answers then says something about the tenant.
    """
    return next((turn for turn in line[:2] if _can_witness(turn)), None)


def _often(principal: PrincipalRecord) -> bool:
    return principal.has_jobs or principal.outcome != ANSWERED


def _can_witness(turn: Turn) -> bool:
    return turn.answered and turn.often
