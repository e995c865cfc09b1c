"""Who listens to a group: from its first message on, late, or only until it has heard how all ended that it was told of.

A listener that joins late has a conversation like any other, with its own told-ledger, outbox and pace. All that differs is which alerts it may
hear of: those that one of its steps lets in, and those it has been told of already, so that it hears how these end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from alertd.model.alert import Alert
from alertd.model.notification import Withheld
from alertd.notify.decide import Ledger, Manner, Member, Standing, is_news
from alertd.notify.steps import Step
from alertd.store.values import Conversation


@attrs.frozen(kw_only=True)
class Listener:
    """One integration that listens to a group, and how it wants to be told.

    leaving: the route no longer names it, but it was told that something fires: it hears how that ends, and nothing new.
    late: it hears of an alert only once one of its `steps` is reached, or once it was handed over to it (`alertd.notify.fallback`).
    summed_up: what a muted time of the route held back from it comes in one message.
    refreshes: it forgets what it is not told again.
    """

    receiver: str
    manner: Manner
    leaving: bool = False
    late: bool = False
    refreshes: bool = False
    steps: tuple[Step, ...] = ()
    summed_up: bool = False

    @property
    def integration_id(self) -> str:
        """Its id, ``receiver/kind/name``."""
        return self.manner.integration_id

    def without_repeats(self) -> Listener:
        """Give the same without reminders of what does not change; whoever would forget it is told all the same."""
        return (
            self
            if self.refreshes
            else attrs.evolve(self, manner=attrs.evolve(self.manner, repeat_interval=timedelta(0)))
        )

    def heard(self, members: Iterable[Member], known: Ledger, taken: Taken, now: datetime) -> tuple[Member, ...]:
        """Give what it may hear of now. known: what it was told. taken: what somebody has acknowledged."""
        if self.leaving:
            return tuple(_silent(entry) if entry.standing is Standing.FIRING else entry for entry in members)
        placed = members if not self.late else (self._placed(entry, known, taken, now) for entry in members)
        return tuple(self._reminded(entry, now) for entry in placed if entry is not None)

    def _reminded(self, entry: Member, now: datetime) -> Member:
        """Say since when it should have been told of a member once more."""
        steps = (step for step in self.steps if step.tells_again and step.reached(entry.alert, now))
        instants = [instant for step in steps if (instant := step.instant(entry.alert)) is not None]
        return attrs.evolve(entry, to_tell_again_since=max(instants)) if instants else entry

    def _placed(self, entry: Member, known: Ledger, taken: Taken, now: datetime) -> Member | None:
        """Place a member as a late listener sees it; None where it does not concern it yet."""
        alert = entry.alert
        concerned = alert.fingerprint in known.told or known.announces(alert.fingerprint)
        if entry.standing not in {Standing.FIRING, Standing.SILENT} or not is_news(known, alert):
            return entry if concerned else None
        if self.manner.announced_as is not None and known.announces(alert.fingerprint):
            return entry  # handed over
        reached = [step for step in self.steps if step.reached(alert, now)]
        joining = [step for step in reached if not (step.stops_when_acknowledged and taken.has(alert))]
        if joining:
            return attrs.evolve(entry, announced_as=joining[0].reason)
        if reached:
            return _silent(entry, entry.withheld or Withheld.ACKNOWLEDGED)
        return _silent(entry) if concerned else None

    def next_step(self, firing: Iterable[Alert], now: datetime) -> datetime | None:
        """Give the next instant after now at which one of its steps is reached."""
        instants = [step.instant(alert) for alert in firing for step in self.steps]
        return min((instant for instant in instants if instant is not None and instant > now), default=None)


def _silent(entry: Member, withheld: Withheld | None = None) -> Member:
    return attrs.evolve(entry, standing=Standing.SILENT, withheld=withheld)


@attrs.frozen
class Taken:
    """What somebody has acknowledged in any conversation of a group, by fingerprint: the latest episode."""

    episodes: dict[str, int] = attrs.field(factory=dict)

    @classmethod
    def by(cls, conversations: Iterable[Conversation]) -> Taken:
        """Gather it: what a conversation does not tell of any more is taken on no longer."""
        episodes: dict[str, int] = {}
        for talk in conversations:
            for line in talk.taken:
                if talk.tells_of(line.fingerprint):
                    episodes[line.fingerprint] = max(line.episode, episodes.get(line.fingerprint, 0))
        return cls(episodes)

    def has(self, alert: Alert) -> bool:
        """Whether this episode is taken on, or an earlier one that still speaks for it."""
        return self.episodes.get(alert.fingerprint, 0) >= alert.inherits_from
