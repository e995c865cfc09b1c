"""Digests as they are written: who gets one, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

import attrs

from alertd.config.context import Context
from alertd.config.kinds import Kind, Schema, Text, TimeZone
from alertd.model.cron import Cron, parse_cron
from alertd.model.digest import DigestSchedule
from alertd.model.document import Node

# https://learn.microsoft.com/power-automate/limits-and-config#expiration-limits
FLOW_SILENCE_MAX = timedelta(days=90)


@attrs.frozen
class CronText(Kind):
    """A cron expression of five fields."""

    expected: ClassVar[str] = 'five fields: minute, hour, day of month, month, day of week, such as "0 9 * * mon"'
    harmless: ClassVar[Any] = parse_cron("@weekly")

    def read(self, node: Node, context: Context) -> Cron:
        """Give the expression; one that never comes is a mistake."""
        text = node.text("")
        try:
            cron = parse_cron(text)
        except ValueError as exc:
            if node.scalar and not context.unresolved(text):
                node.problem(expected=str(exc))
            return parse_cron("@weekly")
        if cron.longest_gap() is None:
            node.problem("days that thirteen years do not have", expected=self.expected)
        return cron

    def written(self, value: Any) -> Any:
        """Write the expression."""
        return str(value)

    def schema(self) -> Schema:
        """Say how it is put together."""
        return {"type": "string", "pattern": r"^\s*(@[A-Za-z]+|\S+(\s+\S+){4})\s*$|\$\{"}


@attrs.frozen(kw_only=True)
class Digest:
    """One scheduled summary. timezone: null means the configuration's own."""

    receiver: Annotated[str, Text("The name of the receiver; PagerDuty and Alertmanager in it are left out.")]
    cron: Annotated[
        Cron,
        CronText(
            "When: minute, hour, day of month, month, day of week, where 0 and 7 are Sunday; or @daily, @weekly, @monthly."
        ),
    ]
    timezone: Annotated[
        ZoneInfo | None, TimeZone("Whose wall clock `cron` means, if not that of the configuration's `timezone`.")
    ] = None

    def schedule(self, zone: ZoneInfo) -> DigestSchedule:
        """Give it with its time zone; `zone` is the configuration's."""
        return DigestSchedule(receiver=self.receiver, cron=self.cron, timezone=self.timezone or zone)
