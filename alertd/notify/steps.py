"""Steps by which receivers join who hears of an alert: once it has been firing for long, or once its job's end is near."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Protocol

import attrs

from alertd.model.alert import Alert
from alertd.model.duration import format_duration
from alertd.model.notification import Reason


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
