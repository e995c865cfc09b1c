"""The way of an alert to a receiver, and what holds it back on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

import attrs

from alertd.config.context import Context
from alertd.config.kinds import Declared, Duration, Kind, Schema, Text
from alertd.config.rules import BUILTIN, MatcherText
from alertd.config.shape import ListOf, NotYet, Shape
from alertd.model.document import Node
from alertd.notify import inhibition
from alertd.notify.inhibition import InhibitRule

LABEL = r"[A-Za-z_][A-Za-z0-9_]*"
_GROUP_LABEL = Text(
    pattern=rf"{LABEL}|\.\.\.", says="a label's name such as tenant or alertname, or `...` for all of them"
)
_LABEL_WORDS = "a label's name, such as tenant or alertname"


@attrs.frozen(kw_only=True)
class Route:
    """How alerts are put together and paced on their way to a receiver. It takes every alert.

    repeat_interval: counts from the last message that the receiver accepted; 0s: no reminders.
    """

    receiver: Annotated[str, Text("The name of the receiver.")]
    group_by: Annotated[
        tuple[str, ...],
        ListOf(
            "Alerts with the same values of these labels share one conversation; `...`: all labels.", kind=_GROUP_LABEL
        ),
    ] = ("tenant", "alertname")
    group_wait: Annotated[
        timedelta, Duration("How long a new group waits for more alerts before its first message.", most="1h")
    ] = timedelta(seconds=30)
    group_interval: Annotated[
        timedelta, Duration("The least time between two messages of a group about changes.", least="1s", most="1d")
    ] = timedelta(minutes=5)
    repeat_interval: Annotated[
        timedelta,
        Duration("How long after its last message a group that still fires is told again; 0s: never.", most="90d"),
    ] = timedelta(hours=24)
    children: Annotated[None, NotYet("Routes below this one.")] = attrs.field(default=None, metadata={"key": "routes"})
    mute_time_intervals: Annotated[None, NotYet("Times at which nothing is sent.")] = None
    escalate: Annotated[None, NotYet("Further receivers while nobody acknowledges.")] = None
    mute_summary: Annotated[None, NotYet("One message after a mute about what it held back.")] = None


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
