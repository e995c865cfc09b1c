"""Stories: what may happen to a few jobs and their receivers within minutes, and how it is played."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import attrs
from hypothesis import strategies as st

from alertd.engine.rehoming import rehome
from alertd.model.document import Document
from alertd.model.facts import DISABLED_AFTER
from alertd.notify.channels.port import Integration
from alertd.notify.inhibition import InhibitRule
from alertd.notify.intervals import NamedIntervals, TimeInterval, TimesOfDay
from alertd.notify.matchers import parse_matcher
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.notify.steps import DeadlineReminder, Escalation, Step
from alertd.rehearsal.course import Course
from alertd.rehearsal.engine import Rehearsal
from alertd.rehearsal.job_name import JobName
from alertd.rehearsal.script import Behaviour, JobScript, Script, SilenceScript, Span
from alertd.rehearsal.setting import Setting
from alertd.rules.loader import read_rules
from alertd.simulator.timeline import parse_timeline

SECOND, STEP = timedelta(seconds=1), timedelta(minutes=1)
QUIET = timedelta(minutes=45)  # longer than any wait between attempts, and many ticks
JOBS = {job: JobName(tenant="contoso", service_principal=f"App {job}", id=job) for job in "abcq"}
WORDS = ("Active", "Paused", "Paused", "NotRun", "error", "absent")
SOURCE_WORDS = ("Active", "Quarantine(Unknown)", "Quarantine(Unknown)", "error")
RECEIVERS = ("chat", "mail")
ESCALATED, FALLBACK = "boss", "spare"
PATIENCE = timedelta(minutes=5)  # of those who are told first, before the boss is
RULES = """
groups:
  - name: small
    rules:
      - {alert: Paused, when: status.code == "Paused", annotations: {summary: "{{ job.id }}"}}
      - {alert: Changed, event: changed(status.code)}
      - {alert: Quarantined, when: status.code == "Quarantine"}
"""
INHIBIT = InhibitRule(
    source_matchers=(parse_matcher('alertname="Quarantined"'),), target_matchers=(parse_matcher('alertname="Paused"'),)
)

KNOWN = read_rules(Document.parse(RULES))
# What a reload may make of the configuration that a story begins with.
CONFIGURATIONS = ("as before", "grouped otherwise", "chat alone", "nothing about pauses")


@attrs.frozen(kw_only=True)
class Story:
    """What happens. Times are seconds.

    answers: of three jobs that may be paused, and of `q`, whose quarantine inhibits them until the story is over.
    keep: steps of keep_firing_for. patience: retry_for. both: there are two receivers. reloads: when which configuration comes into force.
    escalates: what goes on firing at the first receiver is told to the boss. falls_back: what that one could not be told is told to the spare.
    reminds: the first receiver is told of a deadline as long after `q` has gone into quarantine.
    night: from which minute on nothing is told, and for how many. summed: what it held back comes in one message.
    """

    answers: Mapping[str, Sequence[str]]
    outages: Sequence[tuple[str, int, int, str]] = ()
    silence: tuple[int, int] | None = None
    restarts: Sequence[int] = ()
    wait: int = 0
    tick: int = 60
    together: bool = False
    keep: int = 0
    patience: int = 86_400
    both: bool = False
    reloads: Sequence[tuple[int, str]] = ()
    escalates: bool = False
    falls_back: bool = False
    reminds: bool = False
    night: tuple[int, int] | None = None
    summed: bool = False

    @property
    def everyone(self) -> Sequence[str]:
        """All that may be told anything."""
        return [*self.receivers, *[ESCALATED] * self.escalates, *[FALLBACK] * self.falls_back]

    @property
    def receivers(self) -> Sequence[str]:
        return RECEIVERS if self.both else RECEIVERS[:1]

    def in_force(self, moment: timedelta) -> str:
        """Which configuration is in force; one that comes at this very moment is."""
        past = [
            (second, number, what) for number, (second, what) in enumerate(self.reloads) if SECOND * second <= moment
        ]
        return max(past)[2] if past else CONFIGURATIONS[0]

    @property
    def gives_up(self) -> bool:
        """Whether a message may fail for good."""
        return self.patience < 86_400 or any(kind == "404" for _, _, _, kind in self.outages)

    def without(self, kind: str) -> Story:
        return attrs.evolve(self, outages=[outage for outage in self.outages if outage[3] != kind])

    @property
    def script(self) -> Script:
        jobs = tuple(JobScript(name=JOBS[job], timeline=parse_timeline(words)) for job, words in self.answers.items())
        script = Script(
            name="a story",
            interval=STEP,
            jobs=jobs,
            silences=() if self.silence is None else (silenced(*self.silence),),
            behaviours=tuple(behaviour(*outage) for outage in self.outages),
            restarts=tuple(timedelta(seconds=second) for second in self.restarts),
        )
        return attrs.evolve(script, until=script.last_step + QUIET)

    def setting(self, configuration: str = CONFIGURATIONS[0]) -> Setting:
        kept = [attrs.evolve(rule, keep_firing_for=self.keep * STEP) if rule.when else rule for rule in KNOWN]
        asked = [rule for rule in kept if not (rule.name == "Paused" and configuration == "nothing about pauses")]
        plain = Setting.of(asked, None)
        routing = Routing(
            root=self._root(configuration),
            receivers=integrations(plain),
            fallbacks={RECEIVERS[0]: FALLBACK} if self.falls_back else {},
            inhibit_rules=(INHIBIT,),
        )
        policy = DeliveryPolicy(retry_for=timedelta(seconds=self.patience))
        return attrs.evolve(plain, routing=routing, policy=policy)

    def named(self, configuration: str) -> Sequence[str]:
        """The receivers that the routes of a configuration name."""
        return RECEIVERS[:1] if configuration == "chat alone" else self.receivers

    def _root(self, configuration: str) -> Route:
        pace = Pace(group_wait=timedelta(seconds=self.wait), group_interval=timedelta(seconds=self.tick))
        together = self.together is not (configuration == "grouped otherwise")
        group_by = ("tenant",) if together else ("tenant", "alertname")
        steps: tuple[Step, ...] = (Escalation(receiver=ESCALATED, after=PATIENCE),) if self.escalates else ()
        if self.reminds:
            steps += (DeadlineReminder(receiver=RECEIVERS[0], before=DISABLED_AFTER - PATIENCE),)
        leaves = tuple(
            Route(
                id=receiver,
                receiver=receiver,
                group_by=group_by,
                pace=pace,
                continues=True,
                mute=self._nights(),
                mute_summary=self.summed,
                steps=steps if receiver == RECEIVERS[0] else (),
            )
            for receiver in self.named(configuration)
        )
        return Route(id="{}", receiver=RECEIVERS[0], group_by=group_by, pace=pace, children=leaves)

    def _nights(self) -> tuple[NamedIntervals, ...]:
        if self.night is None:
            return ()
        start, minutes = self.night
        times = TimesOfDay(start_time=start, end_time=start + minutes)  # the first step is at midnight
        return (NamedIntervals(name="night", time_intervals=(TimeInterval(times=(times,)),)),)


def integrations(setting: Setting) -> Mapping[str, tuple[Integration, ...]]:
    [(known,)] = setting.routing.receivers.values()
    return {one: (attrs.evolve(known, receiver=one),) for one in (*RECEIVERS, ESCALATED, FALLBACK)}


def silenced(start: int, length: int) -> SilenceScript:
    return SilenceScript(matchers=(parse_matcher('job_id="a"'),), span=span(start, length))


def span(start: int, length: int) -> Span:
    return Span(starts=timedelta(seconds=start), ends=timedelta(seconds=start + length))


def behaviour(receiver: str, start: int, length: int, kind: str) -> Behaviour:
    answer = "hang" if kind == "hang" else int(kind)
    retry_after = timedelta(seconds=90) if kind == "429" else None
    return Behaviour(receiver=receiver, span=span(start, length), answer=answer, retry_after=retry_after)


SECONDS = st.integers(0, 200).map(lambda number: number * 5)
LENGTHS = SECONDS.map(lambda second: second + 5)
STRUCK = (*RECEIVERS, *RECEIVERS, ESCALATED, FALLBACK)
KINDS = st.sampled_from(["503", "503", "404", "429", "hang"])
PAUSES = st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from(WORDS), min_size=1, max_size=10), min_size=1)
SOURCE = st.lists(st.sampled_from(SOURCE_WORDS), max_size=6).map(lambda words: [*words, "Active"])
STORIES = st.builds(
    Story,
    answers=PAUSES | st.builds(lambda jobs, source: {**jobs, "q": source}, PAUSES, SOURCE),
    outages=st.lists(st.tuples(st.sampled_from(STRUCK), SECONDS, LENGTHS, KINDS), max_size=3),
    silence=st.none() | st.tuples(SECONDS, LENGTHS),
    restarts=st.lists(SECONDS, max_size=3),
    wait=st.sampled_from([0, 0, 30]),
    tick=st.sampled_from([60, 60, 180]),
    together=st.booleans(),
    keep=st.sampled_from([0, 0, 2]),
    patience=st.sampled_from([86_400, 86_400, 150]),
    both=st.booleans(),
    reloads=st.lists(st.tuples(SECONDS, st.sampled_from(CONFIGURATIONS)), max_size=3),
    escalates=st.booleans(),
    falls_back=st.booleans(),
    reminds=st.booleans(),
    night=st.none() | st.tuples(st.integers(0, 12), st.integers(1, 12)),
    summed=st.booleans(),
)


class Reloading(Rehearsal):
    """A rehearsal in which the process takes over other configurations while it runs, with whatever is being sent."""

    def __init__(self, story: Story) -> None:
        super().__init__(story.script, story.setting())
        self._story = story
        self._reloads = sorted({SECOND * second for second, _ in story.reloads})

    async def _restart(self, moment: timedelta) -> bool:
        restarted = await super()._restart(moment)
        if self._reloads and self._reloads[0] <= moment:
            self._reloads.pop(0)
            await self._reload(self._story.setting(self._story.in_force(moment)))
        return restarted

    async def _reload(self, setting: Setting) -> None:
        self._setting, self._book = setting, setting.book()
        process, now = self._process, self._clock.now()
        process.rounds.book, process.rounds.routing = self._book, setting.routing
        process.flushing.routing = setting.routing
        await process.rounds.retire({watched.key for watched, _ in self._tenants}, now)
        async with self._store.transaction() as transaction:
            await rehome(transaction, setting.routing, now)

    async def _next(self) -> timedelta | None:
        following = await super()._next()
        return min([*self._reloads[:1], *([] if following is None else [following])])


def play(story: Story) -> Course:
    return asyncio.run(Reloading(story).play())
