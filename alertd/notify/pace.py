"""How often a group is looked at, and told of again."""

from __future__ import annotations

from datetime import timedelta

import attrs

from alertd.notify.reminders import Backoff


@attrs.frozen(kw_only=True)
class Pace:
    """How a route paces its groups and their reminders; `repeat_interval` of zero means never.

    repeat_after_attempt: a reminder that falls just before the next attempt of a job in quarantine waits for its outcome.
    """

    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=24)
    repeat_backoff: Backoff | None = None
    repeat_after_attempt: bool = False
