"""When a conversation in which nothing changes is told again. Pure.

A reminder is due `repeat_interval` after the last message. Two things put it off, each only where a route says so: every further reminder in a
row waits longer (`repeat_backoff`), and one that falls just before Microsoft tries a job in quarantine again waits for what comes of that
(`repeat_after_attempt`).

Source for the attempts: https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status, which has them
grow rarer down to one a day; `quarantine.nextAttempt` says when the next one is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from alertd.model.alert import Alert


@attrs.frozen(kw_only=True)
class Backoff:
    """Every further reminder in a row waits `factor` times as long as the one before, at most `longest`."""

    factor: float = 2
    longest: timedelta = timedelta(days=7)


@attrs.frozen(kw_only=True)
class Reminding:
    """How somebody is reminded.

    repeat_interval: from the last message to the first reminder; zero means never. repeat_backoff: null where all waits are the same.
    attempt_grace: how long after an attempt its outcome is looked for; null where reminders do not look at attempts.
    """

    repeat_interval: timedelta = timedelta(hours=24)
    repeat_backoff: Backoff | None = None
    attempt_grace: timedelta | None = None

    def wait(self, repeats: int) -> timedelta:
        """Give how long the next reminder waits after so many in a row."""
        wait, backoff = self.repeat_interval, self.repeat_backoff
        if backoff is None or backoff.factor == 1:
            return wait
        for _ in range(repeats):
            wait = min(wait * backoff.factor, backoff.longest)
            if wait == backoff.longest:
                break
        return wait

    def due_at(self, last_message_at: datetime | None, repeats: int) -> datetime | None:
        """Give when the next reminder is due; None where there is none."""
        if not self.repeat_interval or last_message_at is None:
            return None
        return last_message_at + self.wait(repeats)

    def put_off(self, due_at: datetime, firing: Iterable[Alert], now: datetime) -> datetime | None:
        """Give until when a reminder that has been due since `due_at` waits for an attempt; None where it need not wait at `now`.

        It waits where the next attempt is nearer than the latest run: what it could say now is older news than what it can say then. A run that
        has ended since it was due is news enough. It waits for one `repeat_interval` at most.
        """
        awaited = _awaited_attempt(due_at, firing) if self.attempt_grace is not None else None
        if awaited is None or self.attempt_grace is None:
            return None
        until = min(awaited + self.attempt_grace, due_at + self.repeat_interval)
        return until if now < until else None


def _awaited_attempt(due_at: datetime, firing: Iterable[Alert]) -> datetime | None:
    """Give the next attempt after `due_at` at any of these alerts' jobs, if it is nearer than the latest run."""
    statuses = [alert.evidence.status for alert in firing if alert.evidence.status is not None]
    quarantines = [status.quarantine for status in statuses if status.quarantine is not None]
    coming = [one.nextAttempt for one in quarantines if one.nextAttempt is not None and one.nextAttempt > due_at]
    if not coming:
        return None
    runs = [status.lastExecution for status in statuses if status.quarantine is not None]
    ended = [run.timeEnded for run in runs if run is not None and run.timeEnded is not None]
    nearer = not ended or min(coming) - due_at < due_at - max(ended)
    return min(coming) if nearer else None
