"""Which rules are in force: their files, and what is overridden in them for some alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import attrs

from alertd.config.context import Context
from alertd.config.kinds import Boolean, Choice, Duration, Kind, Schema, Text
from alertd.config.paths import Files
from alertd.config.shape import ListOf
from alertd.model.alert import SEVERITIES
from alertd.model.document import Node
from alertd.notify.matchers import Matcher, Operator, parse_matcher

BUILTIN = "builtin"


@attrs.frozen
class MatcherText(Kind):
    """One matcher in Alertmanager's notation."""

    expected: ClassVar[str] = 'a matcher such as severity="critical" or service_principal=~"Workday.*"'
    harmless: ClassVar[Any] = Matcher("alertname", Operator.EQUAL, "")

    def read(self, node: Node, context: Context) -> Matcher:  # noqa: ARG002 - the same for every kind
        """Give the matcher."""
        text = node.text("")
        try:
            return parse_matcher(text)
        except ValueError as exc:
            if node.scalar:
                node.problem(
                    expected=str(exc), cure="the whole matcher stands in single quotes: 'severity=\"critical\"'"
                )
            return Matcher("alertname", Operator.EQUAL, "")

    def schema(self) -> Schema:
        """Say that it has an operator."""
        return {"type": "string", "pattern": "=|!~"}


@attrs.frozen
class RuleFiles(Kind):
    """A list of files of rules, globs, and the word `builtin`; given in order, each file once."""

    expected: ClassVar[str] = "`builtin`, or the path of a file of rules"
    harmless: ClassVar[Any] = ()

    def read(self, node: Node, context: Context) -> tuple[Path | str, ...]:
        """Give the word and the files."""
        return tuple(dict.fromkeys(source for entry in node.sequence() for source in self._sources(entry, context)))

    def _sources(self, node: Node, context: Context) -> tuple[Path | str, ...]:
        return (BUILTIN,) if node.scalar and node.text("") == BUILTIN else Files().read(node, context)

    def written(self, value: Any) -> Any:
        """Write the words and paths."""
        return [str(item) for item in value]

    def schema(self) -> Schema:
        """Say that it lists strings."""
        return {"type": "array", "items": Files().schema()}


@attrs.frozen
class Scalar(Kind):
    """A constant: null, true, false, a number or text, as YAML says it."""

    def read(self, node: Node, context: Context) -> Any:  # noqa: ARG002 - the same for every kind
        """Give the plain value."""
        if not node.scalar:
            node.problem(expected="a number, a text, true or false")
            return None
        return node.plain()

    def schema(self) -> Schema:
        """Allow what is no collection."""
        return {"type": ["number", "string", "boolean"]}


@attrs.frozen
class Parameters(Kind):
    """Constants by name."""

    expected: ClassVar[str] = "a mapping of names to constants"
    harmless: ClassVar[Any] = {}

    def read(self, node: Node, context: Context) -> Mapping[str, Any]:
        """Give the constants in order."""
        return {key: Scalar().read(entry, context) for key, entry in node.entries()}

    def schema(self) -> Schema:
        """Allow any name."""
        return {"type": "object", "additionalProperties": Scalar().schema()}


@attrs.frozen(kw_only=True)
class Override:
    """What is different for some alerts of one rule. Overrides apply in order, the last wins; null attributes change nothing.

    The matchers see the labels the alert would have without overrides, the rule's own severity among them.
    hold_duration: the key `for`.
    """

    alert: Annotated[str, Text("The rule's name.")]
    matchers: Annotated[
        tuple[Matcher, ...], ListOf("Which of its alerts; all of them must hold. None: every one.", kind=MatcherText())
    ] = ()
    params: Annotated[Mapping[str, Any], Parameters("Constants of the rule, by name.")] = attrs.field(factory=dict)
    severity: Annotated[str | None, Choice("The severity instead of the rule's.", SEVERITIES)] = None
    hold_duration: Annotated[
        timedelta | None, Duration("How long the condition must hold instead of the rule's `for`.")
    ] = attrs.field(default=None, metadata={"key": "for"})
    enabled: Annotated[bool | None, Boolean("false: these alerts are not raised at all.")] = None
