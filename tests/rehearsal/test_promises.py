"""The three promises, whatever happens: random answers, outages, hanging receivers, silences and restarts.

A model of a few lines knows what is true (from the answers alone) and what a reader of the messages believes (from the messages alone). In the
end both agree, no end was told that was none, and no message said nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.model.document import Document
from alertd.model.notification import Notification, Reason
from alertd.notify.group import Pace
from alertd.notify.matchers import parse_matcher
from alertd.rehearsal.course import Course
from alertd.rehearsal.engine import Rehearsal
from alertd.rehearsal.job_name import JobName
from alertd.rehearsal.receivers import Attempt
from alertd.rehearsal.script import Behaviour, JobScript, Script, SilenceScript, Span
from alertd.rehearsal.setting import Setting
from alertd.rules.loader import read_rules
from alertd.simulator.timeline import parse_timeline

STEP = timedelta(minutes=1)
QUIET = timedelta(minutes=45)  # longer than any wait between attempts, and many ticks
JOBS = {job: JobName(tenant="contoso", service_principal=f"App {job}", id=job) for job in "abc"}
WORDS = ("Active", "Paused", "Paused", "NotRun", "error", "absent")
RULES = """
groups:
  - name: small
    rules:
      - {alert: Paused, when: status.code == "Paused", annotations: {summary: "{{ job.id }}"}}
      - {alert: Changed, event: changed(status.code)}
"""


KNOWN = read_rules(Document.parse(RULES))


@attrs.frozen(kw_only=True)
class Story:
    """What happens. Times are seconds; wait, tick: the group's pace."""

    answers: Mapping[str, Sequence[str]]
    outages: Sequence[tuple[int, int, str]] = ()
    silence: tuple[int, int] | None = None
    restarts: Sequence[int] = ()
    wait: int = 0
    tick: int = 60
    together: bool = False

    @property
    def hangs(self) -> bool:
        return any(kind == "hang" for _, _, kind in self.outages)

    @property
    def refused(self) -> bool:
        return any(kind == "404" for _, _, kind in self.outages)

    @property
    def script(self) -> Script:
        jobs = tuple(JobScript(name=JOBS[job], timeline=parse_timeline(words)) for job, words in self.answers.items())
        silences = () if self.silence is None else (silenced(*self.silence),)
        script = Script(
            name="a story",
            interval=STEP,
            jobs=jobs,
            silences=silences,
            behaviours=tuple(behaviour(*outage) for outage in self.outages),
            restarts=tuple(timedelta(seconds=second) for second in self.restarts),
        )
        return attrs.evolve(script, until=script.last_step + QUIET)

    def setting(self) -> Setting:
        setting = Setting.of(KNOWN, None)
        pace = Pace(group_wait=timedelta(seconds=self.wait), group_interval=timedelta(seconds=self.tick))
        group_by = ("tenant",) if self.together else ("tenant", "alertname")
        root = attrs.evolve(setting.routing.root, pace=pace, group_by=group_by)
        return attrs.evolve(setting, routing=attrs.evolve(setting.routing, root=root))


def silenced(start: int, length: int) -> SilenceScript:
    return SilenceScript(matchers=(parse_matcher('job_id="a"'),), span=span(start, length))


def span(start: int, length: int) -> Span:
    return Span(starts=timedelta(seconds=start), ends=timedelta(seconds=start + length))


def behaviour(start: int, length: int, kind: str) -> Behaviour:
    answer = "hang" if kind == "hang" else int(kind)
    retry_after = timedelta(seconds=90) if kind == "429" else None
    return Behaviour(receiver="default", span=span(start, length), answer=answer, retry_after=retry_after)


SECONDS = st.integers(0, 200).map(lambda number: number * 5)
STORIES = st.builds(
    Story,
    answers=st.dictionaries(
        st.sampled_from("abc"), st.lists(st.sampled_from(WORDS), min_size=1, max_size=10), min_size=1
    ),
    outages=st.lists(
        st.tuples(
            SECONDS, SECONDS.map(lambda second: second + 5), st.sampled_from(["503", "503", "404", "429", "hang"])
        ),
        max_size=3,
    ),
    silence=st.none() | st.tuples(SECONDS, SECONDS.map(lambda second: second + 5)),
    restarts=st.lists(SECONDS, max_size=3),
    wait=st.sampled_from([0, 0, 30]),
    tick=st.sampled_from([60, 60, 180]),
    together=st.booleans(),
)


# What is true, from the answers alone.


def truth(words: Iterable[str]) -> Iterator[bool]:
    """Whether the job's alert should fire, step by step."""
    known, absences, paused = False, 0, False
    for word in words:
        if word == "absent" and known:
            absences += 1
            known, paused = (False, False) if absences == 2 else (known, paused)
        elif word not in {"absent", "error"}:
            known, absences, paused = True, 0, word == "Paused"
        yield paused
        absences = absences if known else 0


def true_at(story: Story, job: str, moment: timedelta) -> bool:
    """Whether it should fire after the polls of a moment; a timeline's last answer keeps being given."""
    words = story.answers[job]
    states = list(truth([*words, words[-1], words[-1]]))
    return states[min(moment // STEP, len(states) - 1)]


# What a reader believes, from the messages alone.


def subjects(notification: Notification, *, resolved: bool = False) -> set[str]:
    alerts = [end.alert for end in notification.resolved] if resolved else notification.firing
    return {alert.labels["job_id"] for alert in alerts}


def belief(attempts: Iterable[Attempt]) -> set[str]:
    believed: set[str] = set()
    for attempt in attempts:
        believed -= subjects(attempt.notification, resolved=True)
        believed |= subjects(attempt.notification)
    return believed


def attempts_of(course: Course, *outcomes: str) -> list[Attempt]:
    """The attempts with one of these outcomes, in the order in which they ended."""
    found = (attempt for instant in course.instants for attempt in instant.attempts)
    return [attempt for attempt in found if attempt.outcome in outcomes]


def content(attempt: Attempt) -> tuple[object, ...]:
    """What a message says, down to the episodes."""
    one = attempt.notification
    firing = frozenset((alert.fingerprint, alert.startsAt) for alert in one.firing)
    resolved = frozenset((end.alert.fingerprint, end.alert.startsAt, end.alert.endsAt) for end in one.resolved)
    return one.reason, firing, resolved, frozenset((event.key, event.at) for event in one.events)


def play(story: Story) -> Course:
    return asyncio.run(Rehearsal(story.script, story.setting()).play())


thorough = settings(deadline=None, max_examples=50)


@thorough
@given(story=STORIES)
def test_no_silent_miss(story: Story) -> None:
    """Once all is quiet, whoever read the messages knows what fires, whether or not those without an answer arrived."""
    course = play(story)

    firing = {job for job in story.answers if true_at(story, job, course.end)}
    assert {alert.labels["job_id"] for alert in course.alerts_at(course.end)} == firing
    assert belief(attempts_of(course, "accepted")) == firing
    assert belief(attempts_of(course, "accepted", "no answer")) == firing


@thorough
@given(story=STORIES)
def test_whatever_fired_at_a_flush_is_told(story: Story) -> None:
    """Firing for as long as a wait and a tick, an alert meets a flush, and is spoken of however long the outage."""
    story = attrs.evolve(story, silence=None, outages=[one for one in story.outages if one[2] != "hang"])
    course = play(story)

    told = {job for attempt in attempts_of(course, "accepted") for job in mentioned(attempt.notification)}
    steps = -(-(story.wait + story.tick) // 60) + 1
    for job, words in story.answers.items():
        states = [true_at(story, job, index * STEP) for index in range(len(words))]
        if any(all(states[index : index + steps]) for index in range(len(states) - steps + 1)):
            assert job in told


def mentioned(notification: Notification) -> set[str]:
    return subjects(notification) | subjects(notification, resolved=True)


@thorough
@given(story=STORIES)
def test_no_false_all_clear(story: Story) -> None:
    """When an end was decided to be told, the last good answer did not say "firing"."""
    course = play(story)

    for attempt in attempts_of(course, "accepted", "no answer", "503", "404", "429"):
        decided = attempt.notification.at - story.script.start
        for job in subjects(attempt.notification, resolved=True):
            assert not true_at(story, job, decided), (attempt.at, attempt.notification.reason)


@thorough
@given(story=STORIES)
def test_no_noise(story: Story) -> None:
    """Two messages in a row never say the same, no message lists an alert on both sides, and none is told twice as first."""
    attempts = attempts_of(play(story), "accepted")

    groups = {attempt.notification.group_key for attempt in attempts}
    for group in groups:
        said = [content(attempt) for attempt in attempts if attempt.notification.group_key == group]
        assert all(one != other for one, other in pairwise(said))
    for attempt in attempts:
        assert not subjects(attempt.notification) & subjects(attempt.notification, resolved=True)


@thorough
@given(story=STORIES)
def test_every_message_is_news(story: Story) -> None:
    """Without silences or lost answers, a message changes what its reader knows, or tells an event or what came too late."""
    story = attrs.evolve(story, silence=None, outages=[one for one in story.outages if one[2] != "hang"])
    attempts = attempts_of(play(story), "accepted")

    for place, attempt in enumerate(attempts):
        before, after = belief(attempts[:place]), belief(attempts[: place + 1])
        assert before != after or attempt.notification.events or attempt.notification.reason is Reason.LATE


@thorough
@given(story=STORIES)
def test_events_are_told_once(story: Story) -> None:
    """Whatever the outage, an event is in exactly one message; one that was refused has failed, and a silenced one is not told."""
    course = play(story)

    messages = [attempt.notification for attempt in attempts_of(course, "accepted")]
    told = Counter((event.key, event.at) for message in messages for event in message.events)
    assert max(told.values(), default=0) <= 1
    if story.silence is None and not story.refused:
        assert sum(told.values()) == sum(changes(words) for words in story.answers.values())


def changes(words: Sequence[str]) -> int:
    """How often the code differs between two good answers; a job that was gone begins anew."""
    count, before, absences = 0, "", 0
    for word in [*words, words[-1], words[-1]]:
        if word == "absent":
            absences += 1
            before = "" if absences == 2 else before
        elif word != "error":
            count += bool(before) and word != before
            before, absences = word, 0
    return count


@thorough
@given(story=STORIES)
def test_restarts_change_nothing(story: Story) -> None:
    """A process that dies between two attempts and comes back says what it would have said, when it would have."""
    story = attrs.evolve(story, outages=[one for one in story.outages if one[2] != "hang"])

    without = play(attrs.evolve(story, restarts=())).heard
    assert play(story).heard == without
