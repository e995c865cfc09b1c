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
from alertd.notify.channels.port import Integration
from alertd.notify.group import Pace
from alertd.notify.inhibition import InhibitRule
from alertd.notify.matchers import parse_matcher
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
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
JOBS = {job: JobName(tenant="contoso", service_principal=f"App {job}", id=job) for job in "abcq"}
WORDS = ("Active", "Paused", "Paused", "NotRun", "error", "absent")
SOURCE_WORDS = ("Active", "Quarantine(Unknown)", "Quarantine(Unknown)", "error")
RECEIVERS = ("chat", "mail")
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


@attrs.frozen(kw_only=True)
class Story:
    """What happens. Times are seconds.

    answers: of three jobs that may be paused, and of `q`, whose quarantine inhibits them until the story is over.
    keep: steps of keep_firing_for. patience: retry_for. both: there are two receivers.
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

    @property
    def receivers(self) -> Sequence[str]:
        return RECEIVERS if self.both else RECEIVERS[:1]

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

    @property
    def setting(self) -> Setting:
        kept = [attrs.evolve(rule, keep_firing_for=self.keep * STEP) if rule.when else rule for rule in KNOWN]
        plain = Setting.of(kept, None)
        routing = Routing(root=self._root(), receivers=integrations(plain), inhibit_rules=(INHIBIT,))
        policy = DeliveryPolicy(retry_for=timedelta(seconds=self.patience))
        return attrs.evolve(plain, routing=routing, policy=policy)

    def _root(self) -> Route:
        pace = Pace(group_wait=timedelta(seconds=self.wait), group_interval=timedelta(seconds=self.tick))
        group_by = ("tenant",) if self.together else ("tenant", "alertname")
        leaves = tuple(
            Route(id=receiver, receiver=receiver, group_by=group_by, pace=pace, continues=True)
            for receiver in self.receivers
        )
        return Route(id="{}", receiver=RECEIVERS[0], group_by=group_by, pace=pace, children=leaves)


def integrations(setting: Setting) -> Mapping[str, tuple[Integration, ...]]:
    [(known,)] = setting.routing.receivers.values()
    return {receiver: (attrs.evolve(known, receiver=receiver),) for receiver in RECEIVERS}


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
KINDS = st.sampled_from(["503", "503", "404", "429", "hang"])
PAUSES = st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from(WORDS), min_size=1, max_size=10), min_size=1)
SOURCE = st.lists(st.sampled_from(SOURCE_WORDS), max_size=6).map(lambda words: [*words, "Active"])
STORIES = st.builds(
    Story,
    answers=PAUSES | st.builds(lambda jobs, source: {**jobs, "q": source}, PAUSES, SOURCE),
    outages=st.lists(st.tuples(st.sampled_from(RECEIVERS), SECONDS, LENGTHS, KINDS), max_size=3),
    silence=st.none() | st.tuples(SECONDS, LENGTHS),
    restarts=st.lists(SECONDS, max_size=3),
    wait=st.sampled_from([0, 0, 30]),
    tick=st.sampled_from([60, 60, 180]),
    together=st.booleans(),
    keep=st.sampled_from([0, 0, 2]),
    patience=st.sampled_from([86_400, 86_400, 150]),
    both=st.booleans(),
)


# What is true, from the answers alone.


def truth(words: Iterable[str], keep: int) -> Iterator[bool]:
    """Whether the job's alert should fire, step by step; what is not answered changes nothing."""
    known, absences, firing, clear_since = False, 0, False, None
    for step, word in enumerate(words):
        if word == "absent" and known:
            absences += 1
            known, firing = (False, False) if absences == 2 else (known, firing)
        elif word not in {"absent", "error"}:
            known, absences = True, 0
            bad = word == "Paused" or word.startswith("Quarantine")
            clear_since = None if bad or not firing else step if clear_since is None else clear_since
            firing = bad or (firing and clear_since is not None and step - clear_since < keep)
        yield firing


def true_at(story: Story, job: str, moment: timedelta) -> bool:
    """Whether it should fire after the polls of a moment; a timeline's last answer keeps being given."""
    words = story.answers[job]
    states = list(truth([*words, *[words[-1]] * 5], story.keep))
    return states[min(moment // STEP, len(states) - 1)]


# What a reader believes, from the messages alone.


def subjects(notification: Notification, *, resolved: bool = False) -> set[str]:
    alerts = [end.alert for end in notification.resolved] if resolved else notification.firing
    return {alert.labels["job_id"] for alert in alerts}


def belief(attempts: Iterable[Attempt]) -> set[str]:
    """The jobs of which a reader of these messages thinks that they fire."""
    believed: set[str] = set()
    for attempt in attempts:
        believed -= subjects(attempt.notification, resolved=True)
        believed |= subjects(attempt.notification)
    return believed


def attempts_of(course: Course, receiver: str, *outcomes: str) -> list[Attempt]:
    """A receiver's attempts with one of these outcomes, in the order in which they ended."""
    found = (attempt for instant in course.instants for attempt in instant.attempts)
    return [attempt for attempt in found if attempt.receiver == receiver and attempt.outcome in outcomes]


def content(attempt: Attempt) -> tuple[object, ...]:
    """What a message says, down to the episodes."""
    one = attempt.notification
    firing = frozenset((alert.fingerprint, alert.startsAt) for alert in one.firing)
    resolved = frozenset((end.alert.fingerprint, end.alert.startsAt, end.alert.endsAt) for end in one.resolved)
    return one.reason, firing, resolved, frozenset((event.key, event.at) for event in one.events)


def play(story: Story) -> Course:
    return asyncio.run(Rehearsal(story.script, story.setting).play())


thorough = settings(deadline=None, max_examples=settings.default.max_examples // 2)


@thorough
@given(story=STORIES)
def test_no_silent_miss(story: Story) -> None:
    """Once all is quiet, whoever read the messages knows what fires, whether or not those without an answer arrived.

    But for one that was given up with an unknown outcome: nobody can know, and it is to be seen as failed.
    """
    course = play(story)

    firing = {job for job in story.answers if true_at(story, job, course.end)}
    assert {alert.labels["job_id"] for alert in course.alerts_at(course.end)} == firing
    for receiver in story.receivers:
        assert belief(attempts_of(course, receiver, "accepted")) == firing
        if not story.gives_up:
            assert belief(attempts_of(course, receiver, "accepted", "no answer")) == firing


@thorough
@given(story=STORIES)
def test_whatever_fired_at_a_flush_is_told(story: Story) -> None:
    """Firing for as long as a wait and a tick, an alert meets a flush, and is spoken of however long the outage."""
    answers = {job: words for job, words in story.answers.items() if job != "q"}
    story = attrs.evolve(story.without("hang"), silence=None, answers=answers)
    course = play(story)

    steps = -(-(story.wait + story.tick) // 60) + 1
    for receiver in story.receivers:
        said = [attempt.notification for attempt in attempts_of(course, receiver, "accepted")]
        told = {job for message in said for job in subjects(message) | subjects(message, resolved=True)}
        for job, words in story.answers.items():
            states = [true_at(story, job, index * STEP) for index in range(len(words))]
            if any(all(states[index : index + steps]) for index in range(len(states) - steps + 1)):
                assert job in told


@thorough
@given(story=STORIES)
def test_no_false_all_clear(story: Story) -> None:
    """When an end was decided to be told, the last good answer did not say "firing"."""
    course = play(story)

    for receiver in story.receivers:
        for attempt in attempts_of(course, receiver, "accepted", "no answer", "503", "404", "429"):
            decided = attempt.notification.at - story.script.start
            for job in subjects(attempt.notification, resolved=True):
                assert not true_at(story, job, decided), (attempt.at, attempt.notification.reason)


@thorough
@given(story=STORIES)
def test_no_noise(story: Story) -> None:
    """Two messages of a group in a row never say the same, and none lists an alert on both sides."""
    course = play(story)

    for receiver in story.receivers:
        attempts = attempts_of(course, receiver, "accepted")
        for group in {attempt.notification.group_key for attempt in attempts}:
            said = [content(attempt) for attempt in attempts if attempt.notification.group_key == group]
            assert all(one != other for one, other in pairwise(said))
        for attempt in attempts:
            assert not subjects(attempt.notification) & subjects(attempt.notification, resolved=True)


@thorough
@given(story=STORIES)
def test_every_message_is_news(story: Story) -> None:
    """Where nothing is held back or lost, a message changes what its reader knows, or tells an event or what came too late."""
    answers = {job: words for job, words in story.answers.items() if job != "q"}
    story = attrs.evolve(story.without("hang"), silence=None, answers=answers)
    course = play(story)

    for receiver in story.receivers:
        attempts = attempts_of(course, receiver, "accepted")
        for place, attempt in enumerate(attempts):
            changed = belief(attempts[:place]) != belief(attempts[: place + 1])
            assert changed or attempt.notification.events or attempt.notification.reason is Reason.LATE


@thorough
@given(story=STORIES)
def test_events_are_told_once(story: Story) -> None:
    """However long the outage, an event is in exactly one message; one that was given up has failed, a silenced one is not told."""
    course = play(story)

    happened = sum(changes(words) for words in story.answers.values())
    for receiver in story.receivers:
        messages = [attempt.notification for attempt in attempts_of(course, receiver, "accepted")]
        told = Counter((event.key, event.at) for message in messages for event in message.events)
        assert max(told.values(), default=0) <= 1
        if story.silence is None and not story.gives_up:
            assert sum(told.values()) == happened


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
    story = story.without("hang")

    without = play(attrs.evolve(story, restarts=())).heard
    assert play(story).heard == without
