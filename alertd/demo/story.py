"""The story as it is told beside the messages: which scenario plays now, which is over, which comes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import attrs

from alertd.demo.expectations import Expectations
from alertd.demo.plan import Plan
from alertd.simulator.scenario import Scenario
from alertd.web.inbox import Chapter


@attrs.frozen(kw_only=True)
class Part:
    """One scenario of a plan, placed in time."""

    scenario: Scenario
    starts_at: datetime

    @property
    def ends_at(self) -> datetime:
        """When the last thing happens in it."""
        return self.starts_at + self.scenario.length

    def outages(self) -> Iterator[tuple[datetime, datetime, str]]:
        """Give when which receiver is down: from, until, its medium."""
        for one in self.scenario.receivers_down:
            yield self.starts_at + one.starts, self.starts_at + one.ends, one.receiver


def parts_of(plan: Plan, begin: datetime) -> tuple[Part, ...]:
    """Place a plan's scenarios in time, the earliest first. Raises ConfigError."""
    parts = [Part(scenario=act.load(plan.step), starts_at=begin + act.starts) for act in plan.acts]
    return tuple(sorted(parts, key=lambda part: part.starts_at))


def chapters(parts: tuple[Part, ...], expectations: Expectations, now: datetime) -> tuple[Chapter, ...]:
    """Give the story as it stands: a scenario is over when it has ended and all of it was told."""
    return tuple(
        Chapter(
            title=part.scenario.title,
            description=part.scenario.description,
            state=_state(part, now, told=expectations.met_for(part.scenario.title)),
        )
        for part in parts
    )


def _state(part: Part, now: datetime, *, told: bool) -> str:
    if now < part.starts_at:
        return "waiting"
    return "done" if told and now >= part.ends_at - timedelta(seconds=1) else "running"
