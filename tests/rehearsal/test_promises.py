"""The three promises, whatever happens: random answers, outages, hanging receivers, silences, restarts and reloads.

A model of a few lines knows what is true (from the answers and the rules in force) and what a reader of the messages believes (from the
messages alone). In the end both agree, no end was told that was none, and no message said nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

import attrs
from hypothesis import example, given, settings

from alertd.model.notification import Notification, Reason
from alertd.rehearsal.course import Course
from alertd.rehearsal.receivers import Attempt

from .stories import ESCALATED, FALLBACK, PATIENCE, SECOND, STEP, STORIES, Story, play

# What is true, from the answers alone.


def truth(
    words: Iterable[str], keep: int, asked: Callable[[int], bool], lapsed: Callable[[int], bool]
) -> Iterator[bool]:
    """Whether the job's alert should fire, step by step; what is not answered changes nothing.

    asked: whether its rule is in force at a step. lapsed: whether it was not for a while since the one before.
    """
    known, absences, firing, clear_since = False, 0, False, None
    for step, word in enumerate(words):
        if lapsed(step):
            firing, clear_since = False, None
        if word == "absent" and known:
            absences += 1
            known, firing = (False, False) if absences == 2 else (known, firing)
        elif word not in {"absent", "error"}:
            known, absences = True, 0
            bad = word == "Paused" or word.startswith("Quarantine")
            clear_since = None if bad or not firing else step if clear_since is None else clear_since
            firing = asked(step) and (bad or (firing and clear_since is not None and step - clear_since < keep))
        yield firing


def true_at(story: Story, job: str, moment: timedelta) -> bool:
    """Whether it should fire after the polls of a moment; a timeline's last answer keeps being given."""
    words, step = story.answers[job], moment // STEP
    said = [*words, *[words[-1]] * (step + 1 - len(words))][: step + 1]
    *_, firing = truth(
        said,
        story.keep,
        asked=lambda step: is_asked(story, job, step * STEP),
        lapsed=lambda step: has_lapsed(story, job, (step - 1) * STEP, step * STEP),
    )
    return firing and not has_lapsed(story, job, step * STEP, moment)


def is_asked(story: Story, job: str, moment: timedelta) -> bool:
    """Whether the rule about this job is in force."""
    return job == "q" or story.in_force(moment) != "nothing about pauses"


def has_lapsed(story: Story, job: str, after: timedelta, until: timedelta) -> bool:
    """Whether the rule about this job was out of force at some time after one moment, and at another at the latest."""
    moments = [SECOND * second for second, _ in story.reloads if after < SECOND * second <= until]
    return not all(is_asked(story, job, moment) for moment in [*moments, until])


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
    named = [*story.named(story.in_force(course.end)), ESCALATED]
    for receiver in story.everyone:
        believed = belief(attempts_of(course, receiver, "accepted"))
        assert believed == firing if receiver in named else believed <= firing
        if not story.gives_up and receiver in named:
            assert belief(attempts_of(course, receiver, "accepted", "no answer")) == firing


@thorough
@given(story=STORIES)
def test_whatever_fired_at_a_flush_is_told(story: Story) -> None:
    """Firing for as long as a wait and a tick, an alert meets a flush, and is spoken of however long the outage."""
    answers = {job: words for job, words in story.answers.items() if job != "q"}
    story = attrs.evolve(story.without("hang"), silence=None, night=None, answers=answers, reloads=())
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

    for receiver in story.everyone:
        for attempt in attempts_of(course, receiver, "accepted", "no answer", "503", "404", "429"):
            decided = attempt.notification.at - story.script.start
            for job in subjects(attempt.notification, resolved=True):
                assert not true_at(story, job, decided), (attempt.at, attempt.notification.reason)


@thorough
@given(story=STORIES)
def test_no_noise(story: Story) -> None:
    """Two messages of a group in a row never say the same, and none lists an alert on both sides."""
    course = play(story)

    for receiver in story.everyone:
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
    story = attrs.evolve(story.without("hang"), silence=None, night=None, answers=answers)
    course = play(story)

    for receiver in story.everyone:
        attempts = attempts_of(course, receiver, "accepted")
        for place, attempt in enumerate(attempts):
            changed = belief(attempts[:place]) != belief(attempts[: place + 1])
            explains = attempt.notification.reason in {Reason.LATE, Reason.FALLBACK}
            assert changed or attempt.notification.events or explains


@thorough
@given(story=STORIES)
def test_events_are_told_once(story: Story) -> None:
    """However long the outage, an event is in exactly one message; one that was given up has failed, a silenced one is not told."""
    story = attrs.evolve(story, reloads=())
    course = play(story)

    happened = sum(changes(words) for words in story.answers.values())
    for receiver in story.everyone:
        messages = [attempt.notification for attempt in attempts_of(course, receiver, "accepted")]
        told = Counter((event.key, event.at) for message in messages for event in message.events)
        assert max(told.values(), default=0) <= 1
        if story.silence is None and not story.gives_up and receiver in story.receivers:
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


# Whoever joins late.


@thorough
@given(story=STORIES)
def test_a_fallback_stands_in_whole(story: Story) -> None:
    """Where the first receiver takes nothing at all, its fallback knows in the end what fires, and was told every event once."""
    outages = [(one, start, length, "503") for one, start, length, kind in story.outages if kind != "hang"]
    story = attrs.evolve(
        story, falls_back=True, patience=86_400, reloads=(), outages=[("chat", 0, 86_400, "404"), *outages]
    )
    course = play(story)

    firing = {job for job in story.answers if true_at(story, job, course.end)}
    attempts = attempts_of(course, FALLBACK, "accepted")
    told = Counter((event.key, event.at) for attempt in attempts for event in attempt.notification.events)
    assert belief(attempts) == firing
    assert max(told.values(), default=0) <= 1
    if story.silence is None:
        assert sum(told.values()) == sum(changes(words) for words in story.answers.values())


@thorough
@given(story=STORIES)
def test_the_boss_hears_of_nothing_before_its_time(story: Story) -> None:
    """Escalation tells of what has been firing for so long, and of nothing else."""
    course = play(attrs.evolve(story, escalates=True))

    for attempt in attempts_of(course, ESCALATED, "accepted", "no answer"):
        if attempt.notification.reason is Reason.ESCALATION:
            began = [alert.startsAt for alert in attempt.notification.firing if alert.startsAt is not None]
            assert all(instant + PATIENCE <= attempt.notification.at for instant in began)


@thorough
@given(story=STORIES)
def test_a_deadline_is_told_once(story: Story) -> None:
    """However long the outage and whatever else is told: a reminder is in one message, and in none before its time."""
    story = attrs.evolve(
        story.without("hang"),
        reminds=True,
        reloads=(),
        answers={**story.answers, "q": [*["Quarantine(Unknown)"] * 9, "Active"]},
    )
    course = play(story)

    reminders = [
        one for one in attempts_of(course, "chat", "accepted") if one.notification.reason is Reason.REMINDER_DEADLINE
    ]
    assert len(reminders) <= 1
    for one in reminders:
        assert one.notification.at - story.script.start >= PATIENCE
        assert "q" in subjects(one.notification)


# It fires again while its end is still on its way: a restart in between must not have opened its group already.
FIRES_AGAIN = Story(
    answers={"a": ["Active", "Active", "Active", "Paused", "Active", "Paused"]},
    outages=[("chat", 0, 235, "503")],
    restarts=[275],
    wait=30,
)


@thorough
@example(story=FIRES_AGAIN)
@given(story=STORIES)
def test_restarts_change_nothing(story: Story) -> None:
    """A process that dies between two attempts and comes back says what it would have said, when it would have."""
    story = story.without("hang")

    without = play(attrs.evolve(story, restarts=())).heard
    assert play(story).heard == without
