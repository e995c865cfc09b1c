"""What the demo plays: which scenarios, when, how fast, and at what pace alertd looks and tells.

Scenarios are written in steps of five minutes; here a step is a second or two. alertd's own clock is the real one, so its intervals are
below what a configuration file may say, and its messages give real times.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import attrs

from alertd.simulator.inbox import Medium
from alertd.simulator.scenario import ReceiverOutage, Scenario

_TELLING = timedelta(seconds=4)  # from the last step of a scenario until everybody has been told


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@attrs.frozen(kw_only=True)
class Act:
    """One scenario in the story.

    scenario: its shipped name. starts: from the demo's start; negative to come in the middle of it. tenants: other names for its tenants,
    so that acts do not share conversations. down: the receiver that an outage in the scenario concerns.
    """

    scenario: str
    starts: timedelta = timedelta(0)
    tenants: Mapping[str, str] = attrs.field(factory=dict)
    down: Medium = Medium.TEAMS

    def load(self, step: timedelta) -> Scenario:
        """Give the scenario at this pace, with the act's names. Raises ConfigError."""
        scenario = Scenario.load(self.scenario)
        pace = step / scenario.interval
        return attrs.evolve(
            scenario,
            interval=step,
            tenants=tuple(attrs.evolve(one, name=self._named(one.name)) for one in scenario.tenants),
            jobs=tuple(attrs.evolve(one, tenant=self._named(one.tenant)) for one in scenario.jobs),
            idle=tuple((self._named(tenant), principal) for tenant, principal in scenario.idle),
            receivers_down=tuple(
                ReceiverOutage(receiver=self.down.value, starts=one.starts * pace, ends=one.ends * pace)
                for one in scenario.receivers_down
            ),
            expect=tuple(attrs.evolve(one, tenant=self._named(one.tenant)) for one in scenario.expect),
        )

    def _named(self, tenant: str) -> str:
        return self.tenants.get(tenant, tenant)


@attrs.frozen(kw_only=True)
class Plan:
    """The story and its pace. step: of the timelines. poll_interval and the rest: alertd's own."""

    acts: tuple[Act, ...]
    step: timedelta
    poll_interval: timedelta
    group_wait: timedelta
    group_interval: timedelta

    @property
    def length(self) -> timedelta:
        """From the start until the last message should have come."""
        ends = (act.starts + act.load(self.step).length for act in self.acts)
        return max(ends) + self.group_interval + _TELLING


_OTHERS = {"contoso": "northwind"}

# Something new every few seconds; the first message within ten, the whole story within two minutes.
SLOW = Plan(
    step=_seconds(2.5),
    poll_interval=_seconds(1.5),
    group_wait=_seconds(1),
    group_interval=_seconds(4),
    acts=(
        Act(scenario="credential-expires", starts=_seconds(-6)),
        Act(scenario="escrows-pruned", starts=_seconds(7)),
        Act(scenario="failure-streak", starts=_seconds(14)),
        Act(scenario="channel-outage", starts=_seconds(26), tenants=_OTHERS),
        Act(scenario="delete-wave", starts=_seconds(34)),
        Act(scenario="flapping-job", starts=_seconds(44), tenants={"fabrikam": "tailspin"}),
        Act(scenario="consent-lost", starts=_seconds(56)),
        Act(scenario="graph-outage", starts=_seconds(72), tenants={"contoso": "adatum"}),
    ),
)

# All at once: what has to be shown is shown in some fifteen seconds.
FAST = Plan(
    step=_seconds(1),
    poll_interval=_seconds(1),
    group_wait=_seconds(0.3),
    group_interval=_seconds(1),
    acts=(
        Act(scenario="credential-expires", starts=_seconds(-2)),
        Act(scenario="escrows-pruned"),
        Act(scenario="failure-streak"),
        Act(scenario="delete-wave", tenants={"contoso": "adatum"}),
        Act(scenario="channel-outage", tenants=_OTHERS),
    ),
)


def plan_for(duration: timedelta | None, *, fast: bool) -> Plan:
    """Give the fast story where it is wanted, or where the time is too short for the other one."""
    too_short = duration is not None and duration < SLOW.length
    return FAST if fast or too_short else SLOW
