"""What `poll.max_added_delay` saves at Graph, and what it costs in time: jobs over simulated days, each looked at when alertd would look.

Nothing is asked and no clock runs: the jobs' lives are drawn from a fixed seed, and `next_look` decides as it does in the daemon. A life is
made of runs on a schedule, of quarantines that are retried as Microsoft does, and of people who pause, resume, renew and restart at any moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import median

import attrs

from alertd.alerts.next_look import Pace, next_look
from alertd.model.facts import step
from alertd.model.resources import (
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.store.values import JobRecord
from bench.progress import Progress
from bench.result import Figure, Result

SEED = 20_260_105
START = datetime(2026, 1, 5, tzinfo=UTC)
INTERVAL = timedelta(minutes=5)
BOUNDS = tuple(timedelta(minutes=number) for number in (5, 10, 20, 30, 60))
# How often jobs run, and how many of a hundred: most connectors every 40 minutes, cloud sync every two, HR systems rarely.
SCHEDULES = ((40, 62), (20, 15), (10, 8), (2, 5), (240, 5), (1440, 5))
STANDING_STILL = 0.08  # jobs that are paused and stay so
QUARANTINES, PAUSES = 1 / 30, 1 / 60  # a job and day
RETRIES = (6, 12, 24)  # hours after the first failure; daily from then on
RESTARTED = 0.7  # of renewed credentials, those whose job is restarted by hand


@attrs.frozen
class Moment:
    """A job's snapshot from an instant on. told: whether it is a transition that people hear of, not just another run."""

    at: datetime
    job: SynchronizationJob
    told: bool


def graph(jobs: int, rounds: int, progress: Progress) -> Result:
    """Look at so many jobs for so many days, once for each bound."""
    source = Random(SEED)
    end = START + timedelta(days=rounds)
    lives = [list(_life(source, end)) for _ in range(jobs)]
    every_round = [_looks(life, Pace(interval=INTERVAL), end) for life in lives]
    figures = [
        Figure(what="every job in every round: requests per job and hour", value=timedelta(hours=1) / INTERVAL),
        Figure(what="every job in every round: transitions over before the next look", value=_unseen(every_round)),
    ]
    for number, bound in enumerate(BOUNDS):
        progress(f"{bound}", number, len(BOUNDS))
        pace = Pace(interval=INTERVAL, max_added_delay=bound)
        figures += _figures(bound, rounds, [_looks(life, pace, end) for life in lives])
    transitions = sum(moment.told for life in lives for moment in life)
    return Result(
        name="graph",
        sizes={"jobs": jobs, "days": rounds, "transitions": transitions},
        thing="job and hour",
        lines={},
        figures=figures,
        notes=(
            f"A round every {_minutes(INTERVAL):g} minutes, one job a service principal. Transitions: quarantine entered and left, paused, resumed.",
            "Added delay: how much later one is seen than with a look in every round; its budget is the bound itself.",
            "Simulated: no request is sent. Real connectors' schedules and people differ; the bound holds whatever they do.",
        ),
    )


# Lives.


def _life(source: Random, end: datetime) -> Iterator[Moment]:
    """Give the moments of one job, from before the first round on."""
    every = timedelta(minutes=source.choices(*zip(*SCHEDULES, strict=True))[0])
    now = START - every * source.random()
    if source.random() < STANDING_STILL:
        yield Moment(now, _snapshot("Paused", every, now), told=False)
        return
    yield Moment(now, _snapshot("Active", every, now), told=False)
    pause = now + _after(source, PAUSES)
    while now < end:
        begins = now + every
        if pause < begins:
            pause = max(pause, now)
            yield Moment(pause, _snapshot("Paused", every, now), told=True)
            begins = pause + timedelta(hours=source.uniform(0.2, 48))
            yield Moment(begins, _snapshot("Active", every, now), told=True)
            pause = begins + _after(source, PAUSES)
        now = begins + _length(source, every)
        if source.random() < QUARANTINES * (every / timedelta(days=1)):
            yield from (quarantine := list(_quarantine(source, every, now)))
            now = quarantine[-1].at
        else:
            yield Moment(now, _snapshot("Active", every, now), told=False)


def _quarantine(source: Random, every: timedelta, entered: datetime) -> Iterator[Moment]:
    """Give the moments from an entry to the run that ends it: somebody renews the credential, and restarts or waits for the next attempt."""
    renewed = entered + timedelta(hours=source.expovariate(1 / 18))
    attempts = [entered + timedelta(hours=hours) for hours in (*RETRIES, *range(48, 24 * 28, 24))]
    yield Moment(entered, _snapshot("Quarantine", every, entered, attempts[0]), told=True)
    restarted = renewed if source.random() < RESTARTED else attempts[-1]
    for attempt, following in pairwise(attempts):
        if min(restarted, attempt) >= renewed:
            left = min(restarted, attempt) + _length(source, every)
            yield Moment(left, _snapshot("Active", every, left), told=True)
            return
        yield Moment(attempt, _snapshot("Quarantine", every, attempt, following), told=False)


def _length(source: Random, every: timedelta) -> timedelta:
    """Draw how long a run takes: some minutes, and less than its interval."""
    return min(timedelta(minutes=source.lognormvariate(math.log(3), 0.6)), every)


def _after(source: Random, per_day: float) -> timedelta:
    return timedelta(days=source.expovariate(per_day))


def _snapshot(code: str, every: timedelta, ended: datetime, next_attempt: datetime | None = None) -> SynchronizationJob:
    quarantine = SynchronizationQuarantine(nextAttempt=next_attempt) if next_attempt is not None else None
    run = SynchronizationTaskExecution(state="Succeeded" if quarantine is None else "Failed", timeEnded=ended)
    return SynchronizationJob(
        id="SF.1",
        schedule=SynchronizationSchedule(interval=every, state="Active"),
        status=SynchronizationStatus(code=code, quarantine=quarantine, lastExecution=run),
    )


# Looks.


@attrs.define
class Seen:
    """What looking at one job came to. added: how much later each transition was seen. unseen: those that were over by the next look."""

    looks: int = 0
    added: list[timedelta] = attrs.field(factory=list)
    unseen: int = 0


def _looks(life: Sequence[Moment], pace: Pace, end: datetime) -> Seen:
    """Look at one job until the end."""
    seen, now, place = Seen(), START, _read(life, 0, START, Seen())  # what was before the first round adds no delay
    record = _record(life[place].job)
    while now < end:
        seen.looks += 1
        before, place = place, _read(life, place, now, seen)
        record = record if place == before else _record(life[place].job)
        now = _next_round(next_look(record, (), asked=now, pace=pace).at, now, pace)
    return seen


def _read(life: Sequence[Moment], place: int, now: datetime, seen: Seen) -> int:
    """Take up what has happened since the place in its life that was read last; gives the place read now."""
    before = place
    while place + 1 < len(life) and life[place + 1].at <= now:
        place += 1
    news = [moment for moment in life[before + 1 : place + 1] if moment.told]
    same = bool(news) and _code(life[before]) == _code(life[place])
    seen.unseen += len(news) if same else max(0, len(news) - 1)
    if news and not same:
        seen.added.append(now - _round_at(news[-1].at))
    return place


def _next_round(worth_it: datetime, now: datetime, pace: Pace) -> datetime:
    """Give the first round that `Pace.due` finds due."""
    bound = _round_at(pace.latest(now) - pace.interval + timedelta(microseconds=1))
    return max(now + pace.interval, min(_round_at(worth_it), bound))


def _round_at(instant: datetime) -> datetime:
    """Give the first round at or after an instant."""
    return START + INTERVAL * -((START - instant) // INTERVAL)


def _record(job: SynchronizationJob) -> JobRecord:
    return JobRecord(
        tenant_key="global/t-1",
        service_principal_id="sp-1",
        job=job,
        facts=step(None, None, job, START),
        first_seen_at=START,
        changed_at=START,
    )


def _code(moment: Moment) -> str | None:
    return moment.job.status.code if moment.job.status is not None else None


# Figures.


def _figures(bound: timedelta, days: int, all_seen: Sequence[Seen]) -> Iterator[Figure]:
    words = f"max_added_delay {_minutes(bound):g}m"
    looks = sum(seen.looks for seen in all_seen) / len(all_seen) / days / 24
    added = sorted(_minutes(one) for seen in all_seen for one in seen.added)
    yield Figure(what=f"{words}: requests per job and hour", value=round(looks, 2))
    yield Figure(
        what=f"{words}: requests saved", value=round(100 * (1 - looks / (timedelta(hours=1) / INTERVAL)), 1), unit="%"
    )
    yield Figure(what=f"{words}: added delay, median", value=median(added), unit="min")
    yield Figure(what=f"{words}: added delay, 95 of 100", value=added[len(added) * 95 // 100], unit="min")
    yield Figure(what=f"{words}: added delay, most", value=added[-1], unit="min", budget=_minutes(bound))
    yield Figure(what=f"{words}: transitions over before the next look", value=_unseen(all_seen))


def _unseen(all_seen: Sequence[Seen]) -> int:
    return sum(seen.unseen for seen in all_seen)


def _minutes(duration: timedelta) -> float:
    return duration / timedelta(minutes=1)
