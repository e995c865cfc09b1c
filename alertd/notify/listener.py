"""Who listens to a group: from its first message on, late, or only until it has heard how all ended that it was told of.

A listener that joins late has a conversation like any other, with its own told-ledger, outbox and pace. All that differs is which alerts it may
hear of: those that one of its steps lets in, and those it has been told of already, so that it hears how these end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

import attrs

from alertd.model.alert import Alert
from alertd.model.duration import format_duration
from alertd.model.notification import Reason, Withheld
from alertd.notify.decide import Ledger, Manner, Member, Standing, is_news
from alertd.store.values import Conversation


class Step(Protocol):
    """When a receiver hears of an alert that it has not been told of yet, or hears of it again.

    receiver: its name. reason: of the message. stops_when_acknowledged: nobody is told of what somebody has taken on. tells_again: so is
    whoever knows of the alert already.
    """

    @property
    def receiver(self) -> str: ...  # noqa: D102

    @property
    def reason(self) -> Reason: ...  # noqa: D102

    @property
    def stops_when_acknowledged(self) -> bool: ...  # noqa: D102

    @property
    def tells_again(self) -> bool: ...  # noqa: D102

    @property
    def words(self) -> str:
        """Say when it is reached."""
        ...

    def instant(self, alert: Alert) -> datetime | None:
        """Give when the step is reached; null where it never is."""
        ...

    def reached(self, alert: Alert, now: datetime) -> bool:
        """Whether it is reached, and not past."""
        ...


@attrs.frozen(kw_only=True)
class Escalation:
    """Who hears of an alert that has been firing for `after`, counted from `startsAt`, while nobody has acknowledged it."""

    receiver: str
    after: timedelta

    reason: ClassVar[Reason] = Reason.ESCALATION
    stops_when_acknowledged: ClassVar[bool] = True
    tells_again: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """Say how long it has been firing."""
        return f"after {format_duration(self.after)}"

    def instant(self, alert: Alert) -> datetime | None:
        """Give when the alert has been firing for so long."""
        return None if alert.startsAt is None else alert.startsAt + self.after

    def reached(self, alert: Alert, now: datetime) -> bool:
        """Whether it has."""
        instant = self.instant(alert)
        return instant is not None and instant <= now


@attrs.frozen(kw_only=True)
class DeadlineReminder:
    """Who hears of an alert, once more or for the first time, when its job is to be disabled within `before`.

    An acknowledgement does not stop it: what Microsoft disables stays so until somebody starts it again.
    """

    receiver: str
    before: timedelta

    reason: ClassVar[Reason] = Reason.REMINDER_DEADLINE
    stops_when_acknowledged: ClassVar[bool] = False
    tells_again: ClassVar[bool] = True

    @property
    def words(self) -> str:
        """Say how long before the job is disabled."""
        return f"{format_duration(self.before)} before the job is disabled"

    def instant(self, alert: Alert) -> datetime | None:
        """Give when that is so near; null for an alert about a job that is not in quarantine, or about none."""
        return None if alert.disableAt is None else alert.disableAt - self.before

    def reached(self, alert: Alert, now: datetime) -> bool:
        """Whether that lies ahead, and is so near."""
        return alert.disableAt is not None and alert.disableAt - self.before <= now < alert.disableAt


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
