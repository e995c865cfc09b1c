"""From a cron expression to instants, by APScheduler's trigger.

Its numeric days of the week count from Monday where cron's count from Sunday, and it wants a day to fit both day fields where cron takes either:
both are translated here. A time that the clocks skip in spring comes as much later as they were put on; one that they show twice in autumn
comes once, the first time, unless every hour counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from alertd.model.cron import Cron

_HOURS = 24
_ANY = "*"


def next_instant(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Give the first instant later than another, in UTC; None where there is none, as for the 30th of February."""
    trigger = _trigger(cron, zone)
    instant = after
    while True:
        found: datetime | None = trigger.get_next_fire_time(
            None, (instant + timedelta(microseconds=1)).astimezone(zone)
        )
        if found is None:
            return None
        instant = found.astimezone(UTC)
        if not instant.astimezone(zone).fold or len(cron.hours) == _HOURS:
            return instant


def _trigger(cron: Cron, zone: ZoneInfo) -> CronTrigger | OrTrigger:
    fields = {"minute": _listed(cron.minutes), "hour": _listed(cron.hours), "month": _listed(cron.months)}
    day, weekday = _listed(cron.days), _listed((number - 1) % 7 for number in cron.weekdays)

    def trigger(day: str, weekday: str) -> CronTrigger:
        return CronTrigger(**fields, day=day, day_of_week=weekday, timezone=zone)

    return OrTrigger([trigger(day, _ANY), trigger(_ANY, weekday)]) if cron.either_day else trigger(day, weekday)


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, sorted(numbers)))
