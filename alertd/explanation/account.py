"""The account of one rule on one job: what it saw, where its alert stands, what holds that back, and who was told. Plain values."""

from __future__ import annotations

from datetime import datetime

import attrs

from alertd.alerts.next_look import LookReason
from alertd.explanation.look import Look
from alertd.model.alert import Scope, State
from alertd.rules.rule import Rule
from alertd.rules.trace import Node


@attrs.frozen(kw_only=True)
class Condition:
    """One expression of a rule. key: `when`, `clear_when` or `event`. tree: every value it saw."""

    key: str
    text: str
    holds: bool
    tree: Node


@attrs.frozen(kw_only=True)
class Held:
    """Something that holds an alert or its message back. by: a word such as `for` or `silenced`. until: null where nobody can say."""

    by: str
    detail: str = ""
    until: datetime | None = None


@attrs.frozen(kw_only=True)
class Standing:
    """Where an alert stands. since: it has been in this state; null where there never was one. episode: counts the times it fired."""

    state: State
    since: datetime | None = None
    episode: int = 0
    ended: str = ""


@attrs.frozen(kw_only=True)
class Message:
    """One message about the alert. state: of its delivery at that moment; empty where the row is not kept any more."""

    decided_at: datetime
    integration_id: str
    reason: str
    delivery_id: str = ""
    state: str = ""
    ended_at: datetime | None = None
    error: str = ""


@attrs.frozen(kw_only=True)
class Knows:
    """A line of the told-ledger: this integration has accepted that the alert fires.

    reminder_at: when it is reminded at the earliest, at the tick after that; null where it is not.
    """

    integration_id: str
    at: datetime
    episode: int
    reminder_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Coming:
    """A receiver that hears of the alert later, if it still fires then. at: at the first tick from then on."""

    receiver: str
    reason: str
    at: datetime
    unless: str = ""


@attrs.frozen(kw_only=True)
class RuleAccount:
    """All about one rule. coming: who hears of it later. next_tick: when its group is next considered, for an alert that is in one."""

    rule: Rule
    scope: Scope
    standing: Standing
    conditions: tuple[Condition, ...]
    held: tuple[Held, ...] = ()
    told: tuple[Message, ...] = ()
    ledger: tuple[Knows, ...] = ()
    coming: tuple[Coming, ...] = ()
    next_tick: datetime | None = None


@attrs.frozen(kw_only=True)
class Explanation:
    """A job at a moment. past: the moment lies behind, so what only the present shows is left out.

    asked_at: its service principal's latest turn, where the rounds since have left it out.
    next_poll: about when it is looked at next; next_look: why then, null where every round looks at everything.
    """

    job: str
    at: datetime
    past: bool
    look: Look
    rules: tuple[RuleAccount, ...]
    asked_at: datetime | None = None
    next_poll: datetime | None = None
    next_look: LookReason | None = None
