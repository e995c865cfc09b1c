"""The way of an alert to a receiver, and what holds it back on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

import attrs

from alertd.config.context import Context
from alertd.config.kinds import Boolean, Declared, Duration, Kind, Number, Schema, Text
from alertd.config.rules import BUILTIN, MatcherText
from alertd.config.shape import Elsewhere, ListOf, Section, Shape, shape_of
from alertd.model.document import Node
from alertd.notify import inhibition
from alertd.notify.inhibition import InhibitRule
from alertd.notify.matchers import Matcher
from alertd.notify.reminders import Backoff

LABEL = r"[A-Za-z_][A-Za-z0-9_]*"
_GROUP_LABEL = Text(
    pattern=rf"{LABEL}|\.\.\.", says="a label's name such as tenant or alertname, or `...` for all of them"
)
_LABEL_WORDS = "a label's name, such as tenant or alertname"


_RECEIVER = Text("The name of the receiver.")
_GROUP_BY = ListOf(
    "Alerts with the same values of these labels share one conversation; `...`: all labels.", kind=_GROUP_LABEL
)
_GROUP_WAIT = Duration("How long a new group waits for more alerts before its first message.", most="1h")
_GROUP_INTERVAL = Duration("The least time between two messages of a group about changes.", least="1s", most="1d")
_REPEAT_INTERVAL = Duration(
    "How long after its last message a group that still fires is told again; 0s: never.", most="90d"
)
_REPEAT_BACKOFF = Section(
    "Every further reminder in a row waits longer than the one before; without it, all wait the same.",
    build=Shape(
        Backoff,
        {
            "factor": Number(
                "How many times as long; 1: the same, for a route below one that has it.", least=1, most=10
            ),
            "max": Duration("The longest wait.", least="1m", most="90d"),
        },
        attributes={"max": "longest"},
    ),
)
_REPEAT_AFTER_ATTEMPT = Boolean(
    "Whether a reminder that falls just before Microsoft tries a job in quarantine again waits for what comes of it."
)


@attrs.frozen(kw_only=True)
class EscalationStep:
    """A receiver that hears of an alert later."""

    after: Annotated[
        timedelta,
        Duration(
            "How long an alert fires until this receiver is told, at the group's next tick.", least="1s", most="90d"
        ),
    ]
    receiver: Annotated[str, _RECEIVER]


_ESCALATE = ListOf(
    "Further receivers for what fires on while nobody acknowledges it.", kind=Section(build=EscalationStep)
)


@attrs.frozen(kw_only=True)
class ReminderStep:
    """A reminder of a deadline. receiver: null for the route's own."""

    before: Annotated[
        timedelta,
        Duration("How long before the job is disabled, at the group's next tick.", least="1m", most="28d"),
    ]
    receiver: Annotated[
        str | None, attrs.evolve(_RECEIVER, doc="The name of the receiver, if not the route's own.")
    ] = None


_DEADLINE_REMINDERS = ListOf(
    "Reminders before Microsoft disables a job, 28 days after it has gone into quarantine.",
    kind=Section(build=ReminderStep),
)


@attrs.frozen
class Routes(Kind):
    """A list of routes, each of which may have such a list below it. nested: one of the lists below."""

    nested: bool = attrs.field(default=False, kw_only=True)

    expected = "a list of routes"
    harmless = ()

    def read(self, node: Node, context: Context) -> tuple[ChildRoute, ...]:
        """Give the routes in order."""
        entries: tuple[ChildRoute, ...] = ListOf(kind=Section(build=ChildRoute)).read(node, context)
        return entries

    def schema(self) -> Schema:
        """Refer to the definition of a route, which refers here again."""
        return {"type": "array", "items": {"$ref": "#/$defs/route"}}

    def below(self, path: str) -> Iterator[Declared]:
        """Give a route's keys, once: they are the same however deep it lies."""
        if not self.nested:
            yield from shape_of(ChildRoute).declared(f"{path}[]")


@attrs.frozen(kw_only=True)
class ChildRoute:
    """A route below another one: which alerts it takes, and what is different for them. Null attributes are the parent's.

    continues: the key `continue`. children: the key `routes`.
    """

    matchers: Annotated[
        tuple[Matcher, ...],
        ListOf("Which alerts it takes; all of them must hold. None: every one.", kind=MatcherText()),
    ] = ()
    receiver: Annotated[str | None, attrs.evolve(_RECEIVER, doc="The name of the receiver, if not the parent's.")] = (
        None
    )
    group_by: Annotated[tuple[str, ...] | None, attrs.evolve(_GROUP_BY, doc="If not the parent's.")] = None
    group_wait: Annotated[timedelta | None, attrs.evolve(_GROUP_WAIT, doc="If not the parent's.")] = None
    group_interval: Annotated[timedelta | None, attrs.evolve(_GROUP_INTERVAL, doc="If not the parent's.")] = None
    repeat_interval: Annotated[timedelta | None, attrs.evolve(_REPEAT_INTERVAL, doc="If not the parent's.")] = None
    repeat_backoff: Annotated[Backoff | None, attrs.evolve(_REPEAT_BACKOFF, doc="If not the parent's.")] = None
    repeat_after_attempt: Annotated[bool | None, attrs.evolve(_REPEAT_AFTER_ATTEMPT, doc="If not the parent's.")] = None
    continues: Annotated[bool, Boolean("Whether the routes after it are asked too, once it has taken an alert.")] = (
        attrs.field(default=False, metadata={"key": "continue"})
    )
    mute_time_intervals: Annotated[
        tuple[str, ...],
        ListOf("Names of time_intervals in which nothing is told; routes below have their own.", kind=Text()),
    ] = ()
    active_time_intervals: Annotated[
        tuple[str, ...], ListOf("Names of time_intervals outside of which nothing is told; none: always.", kind=Text())
    ] = ()
    mute_summary: Annotated[
        bool,
        Boolean("Whether what a muted time held back comes in one message at its end; routes below say so themselves."),
    ] = False
    escalate: Annotated[
        tuple[EscalationStep, ...] | None,
        attrs.evolve(_ESCALATE, doc="If not the parent's; an empty list: nobody."),
    ] = None
    deadline_reminders: Annotated[
        tuple[ReminderStep, ...] | None,
        attrs.evolve(_DEADLINE_REMINDERS, doc="If not the parent's; an empty list: none."),
    ] = None
    children: Annotated[tuple[ChildRoute, ...], Routes("Routes below this one, with the same keys.", nested=True)] = (
        attrs.field(default=(), metadata={"key": "routes"})
    )


_BELOW = "it takes every alert at any time; write this at a route of `routes`"


@attrs.frozen(kw_only=True)
class Route:
    """How alerts are put together and paced on their way to a receiver: the root of the tree. It takes every alert.

    repeat_interval: counts from the last message that the receiver accepted; 0s: no reminders. repeat_backoff: null: all wait the same.
    children: the key `routes`.
    """

    receiver: Annotated[str, _RECEIVER]
    group_by: Annotated[tuple[str, ...], _GROUP_BY] = ("tenant", "alertname")
    group_wait: Annotated[timedelta, _GROUP_WAIT] = timedelta(seconds=30)
    group_interval: Annotated[timedelta, _GROUP_INTERVAL] = timedelta(minutes=5)
    repeat_interval: Annotated[timedelta, _REPEAT_INTERVAL] = timedelta(hours=24)
    repeat_backoff: Annotated[Backoff | None, _REPEAT_BACKOFF] = None
    repeat_after_attempt: Annotated[bool, _REPEAT_AFTER_ATTEMPT] = False
    children: Annotated[
        tuple[ChildRoute, ...],
        Routes("Routes below this one, asked in order; the first that matches takes the alert."),
    ] = attrs.field(default=(), metadata={"key": "routes"})
    escalate: Annotated[tuple[EscalationStep, ...], _ESCALATE] = ()
    deadline_reminders: Annotated[tuple[ReminderStep, ...], _DEADLINE_REMINDERS] = ()
    matchers: Annotated[None, Elsewhere(cure=_BELOW)] = None
    continues: Annotated[None, Elsewhere(cure=_BELOW)] = attrs.field(default=None, metadata={"key": "continue"})
    mute_time_intervals: Annotated[None, Elsewhere(cure=_BELOW)] = None
    active_time_intervals: Annotated[None, Elsewhere(cure=_BELOW)] = None
    mute_summary: Annotated[None, Elsewhere(cure=_BELOW)] = None


INHIBIT_RULE = Shape(
    InhibitRule,
    {
        "source_matchers": ListOf("What the alert that holds back looks like.", kind=MatcherText(), least=1),
        "target_matchers": ListOf("What the alerts that are held back look like.", kind=MatcherText(), least=1),
        "equal": ListOf("Labels on which the two agree.", kind=Text(pattern=LABEL, says=_LABEL_WORDS)),
    },
)


@attrs.frozen
class InhibitRules(Kind):
    """A list of rules; the word `builtin` in it stands for the shipped ones."""

    expected = "a list of rules; `builtin` adds the shipped ones"
    harmless = ()

    def read(self, node: Node, context: Context) -> tuple[InhibitRule, ...]:
        """Give the rules in order."""
        return tuple(rule for entry in node.sequence() for rule in self._rules(entry, context))

    def _rules(self, node: Node, context: Context) -> tuple[InhibitRule, ...]:
        if not node.scalar:
            return (INHIBIT_RULE.read(node, context),)
        if node.text("") != BUILTIN:
            node.problem(expected="`builtin`, or a mapping with source_matchers, target_matchers and equal")
        return inhibition.BUILTIN

    def written(self, value: Any) -> Any:
        """Write the shipped rules as their word."""
        return [BUILTIN] if value == inhibition.BUILTIN else None

    def schema(self) -> Schema:
        """Allow the word and mappings."""
        return {"type": "array", "items": {"anyOf": [{"const": BUILTIN}, INHIBIT_RULE.schema()]}}

    def below(self, path: str) -> Iterator[Declared]:
        """Give the keys of a rule."""
        yield from INHIBIT_RULE.declared(f"{path}[]")
