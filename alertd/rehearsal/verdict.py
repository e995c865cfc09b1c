"""Expected beside found: whether a test passes, and what exactly differs where it does not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

import attrs

from alertd.model.alert import Alert, Ended, Event
from alertd.model.duration import format_duration
from alertd.model.notification import Reason, ResolvedAlert
from alertd.model.suggestion import did_you_mean
from alertd.rehearsal.course import Course, Heard
from alertd.rehearsal.expectation import Entry, ExpectedAlerts, ExpectedNotification
from alertd.rehearsal.script import Script

Expected = TypeVar("Expected")
Found = TypeVar("Found")


@attrs.frozen
class Pair:
    """An expected notification and the one found in its place; null on either side where there is none.

    differences: in what the two are not the same; empty where they fit.
    """

    expected: ExpectedNotification | None
    found: Heard | None
    differences: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether both are there and the same."""
        return self.expected is not None and self.found is not None and not self.differences


@attrs.frozen(kw_only=True)
class AlertsDiffer:
    """Alerts of a state that are not those expected at a moment."""

    at: timedelta
    line: int
    state: str
    expected: tuple[Entry, ...]
    found: tuple[Alert, ...]
    differences: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Verdict:
    """What became of one test. alerts: every moment that differs. notifications: all of them, if one differs. notes: hints."""

    script: Script
    course: Course
    alerts: tuple[AlertsDiffer, ...] = ()
    notifications: tuple[Pair, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not (self.alerts or self.notifications)


@attrs.frozen(kw_only=True)
class Known:
    """What a test may speak of; for hints about what it misspells."""

    rules: tuple[str, ...]
    receivers: tuple[str, ...]


def judge(script: Script, course: Course, known: Known) -> Verdict:
    """Compare what a test expects with its course."""
    alerts = tuple(differ for expected in script.expected_alerts for differ in _alerts(expected, course))
    expected = script.expected_notifications
    pairs = () if expected is None else compared(expected, course.heard)
    failed = tuple(pairs) if not all(pair.fits for pair in pairs) else ()
    notes = tuple(dict.fromkeys(_notes(script, course, known))) if alerts or failed else ()
    return Verdict(script=script, course=course, alerts=alerts, notifications=failed, notes=notes)


# Alerts.


def _alerts(expected: ExpectedAlerts, course: Course) -> Iterator[AlertsDiffer]:
    if expected.at > course.end:
        late = f"the test ends at {format_duration(course.end)}; `until` lets it run on"
        yield _differ(expected, "firing", (), (late,))
        return
    standing = course.alerts_at(expected.at)
    for state, entries in expected.states.items():
        found = tuple(alert for alert in standing if alert.state.value == state)
        differences = tuple(_list_differences(entries, found, lambda entry, alert: entry.differences(alert)))
        if differences:
            yield _differ(expected, state, found, differences)


def _differ(
    expected: ExpectedAlerts, state: str, found: tuple[Alert, ...], differences: tuple[str, ...]
) -> AlertsDiffer:
    return AlertsDiffer(
        at=expected.at,
        line=expected.line,
        state=state,
        expected=expected.states.get(state, ()),
        found=found,
        differences=differences,
    )


# Lists of alerts: in the order of names; those of one name in any order.


def _list_differences(
    entries: Sequence[Entry], found: Sequence[Found], differences: Callable[[Entry, Found], tuple[str, ...]]
) -> Iterator[str]:
    """Say how a list differs; `found` is sorted by name, and so must `entries` be."""
    if len(entries) != len(found):
        yield f"{len(entries)} expected, {len(found)} found"
    elif not paired(entries, found, lambda entry, one: not differences(entry, one), _name_of):
        told = (differences(entry, one) for entry, one in zip(entries, found, strict=True))
        yield from (text for texts in told for text in texts)


def _name_of(found: object) -> object:
    alert = found.alert if isinstance(found, ResolvedAlert) else found
    return alert.name if isinstance(alert, Alert | Event) else alert


def paired(
    expected: Sequence[Expected],
    found: Sequence[Found],
    fits: Callable[[Expected, Found], bool],
    key: Callable[[Found], object],
) -> bool:
    """Whether each expected one fits the found one at its place, where found ones of the same key may change places."""
    start = 0
    while start < len(found):
        end = start
        while end < len(found) and key(found[end]) == key(found[start]):
            end += 1
        if not _assigned(expected[start:end], found[start:end], fits):
            return False
        start = end
    return len(expected) == len(found)


def _assigned(expected: Sequence[Expected], found: Sequence[Found], fits: Callable[[Expected, Found], bool]) -> bool:
    """Whether every expected one can have a found one of its own: augmenting paths, since an entry that says little fits many."""
    owner: dict[int, int] = {}

    def place(index: int, tried: set[int]) -> bool:
        for candidate, one in enumerate(found):
            if candidate in tried or not fits(expected[index], one):
                continue
            tried.add(candidate)
            if candidate not in owner or place(owner[candidate], tried):
                owner[candidate] = index
                return True
        return False

    return all(place(index, set()) for index in range(len(expected)))


# Notifications.


def compared(expected: Sequence[ExpectedNotification], found: Sequence[Heard]) -> tuple[Pair, ...]:
    """Put both lists side by side, in their order.

    Notifications of the same time, receiver, alerts and reason (two groups' of one instant) may change places.
    """
    if paired(expected, found, lambda one, other: not notification_differences(one, other), lambda one: one.order):
        return tuple(Pair(one, other) for one, other in zip(expected, found, strict=True))
    pairs = tuple(_side_by_side(expected, found))
    return tuple(_misplaced(pair, pairs) for pair in pairs)


def _misplaced(pair: Pair, pairs: Sequence[Pair]) -> Pair:
    """Say of a pair that does not fit if what is expected in it came after all, in another place."""
    elsewhere = [other.found for other in pairs if other is not pair and not other.fits and other.found is not None]
    if pair.fits or pair.expected is None or all(notification_differences(pair.expected, one) for one in elsewhere):
        return pair
    order = "it came, but out of order: sorted by time, receiver, names of alerts, reason"
    return Pair(pair.expected, pair.found, (order,))


def notification_differences(expected: ExpectedNotification, found: Heard) -> tuple[str, ...]:
    """Say in what a notification is not the one expected."""
    return tuple(_notification_differences(expected, found))


def _notification_differences(expected: ExpectedNotification, found: Heard) -> Iterator[str]:
    if found.at not in expected.at:
        yield f"at is {format_duration(found.at)}, not {expected.at}"
    if expected.receiver not in {None, found.receiver}:
        yield f"receiver is {found.receiver}, not {expected.receiver}"
    if expected.reason not in {None, found.reason.value}:
        yield f"reason is {found.reason.value}, not {expected.reason}"
    yield from _labelled("firing", _list_differences(expected.firing, found.firing, _item_differences))
    yield from _labelled("resolved", _list_differences(expected.resolved, found.resolved, _end_differences))
    yield from _labelled("events", _list_differences(expected.events, found.events, _item_differences))


def _labelled(name: str, texts: Iterable[str]) -> Iterator[str]:
    return (f"{name}: {text}" for text in texts)


def _item_differences(entry: Entry, item: Alert | Event) -> tuple[str, ...]:
    return entry.differences(item)


def _end_differences(entry: Entry, end: ResolvedAlert) -> tuple[str, ...]:
    return entry.differences(end.alert, end.ended)


def _side_by_side(expected: Sequence[ExpectedNotification], found: Sequence[Heard]) -> Iterator[Pair]:
    """Align two lists: the longest row of those that fit stands, and between two of these the others stand in their order."""
    rows = [(index, other) for index, other in _common(expected, found)]
    begin, start = 0, 0
    for index, other in [*rows, (len(expected), len(found))]:
        left, right = expected[begin:index], found[start:other]
        for place in range(max(len(left), len(right))):
            yield _pair(left[place] if place < len(left) else None, right[place] if place < len(right) else None)
        if index < len(expected):
            yield Pair(expected[index], found[other])
        begin, start = index + 1, other + 1


def _pair(expected: ExpectedNotification | None, found: Heard | None) -> Pair:
    if expected is None:
        return Pair(None, found, ("not expected",))
    if found is None:
        return Pair(expected, None, ("did not come",))
    return Pair(expected, found, notification_differences(expected, found) or ("out of order",))


def _common(expected: Sequence[ExpectedNotification], found: Sequence[Heard]) -> list[tuple[int, int]]:
    """Give the places of a longest common row; quadratic, for lists as long as people write them."""
    fits = [[not notification_differences(one, other) for other in found] for one in expected]
    longest = [[0] * (len(found) + 1) for _ in range(len(expected) + 1)]
    for i in reversed(range(len(expected))):
        for j in reversed(range(len(found))):
            longest[i][j] = longest[i + 1][j + 1] + 1 if fits[i][j] else max(longest[i + 1][j], longest[i][j + 1])
    row: list[tuple[int, int]] = []
    i = j = 0
    while i < len(expected) and j < len(found):
        if fits[i][j]:
            row.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return row


# Hints.


def _notes(script: Script, course: Course, known: Known) -> Iterator[str]:
    expected = script.expected_notifications or ()
    entries = [entry for one in expected for entries in one.lists.values() for entry in entries]
    entries += [entry for one in script.expected_alerts for entries in one.states.values() for entry in entries]
    yield from _unknown("rule", (entry.alert for entry in entries), known.rules)
    yield from _unknown("receiver", (one.receiver for one in expected), known.receivers)
    yield from _unknown("reason", (one.reason for one in expected), tuple(Reason))
    yield from _unknown("end", (entry.ended for entry in entries), tuple(Ended))
    if any(one.at.first > course.end for one in expected):
        yield f"the test ends at {format_duration(course.end)}; `until` lets it run on"
    if any(_names(entries) != sorted(_names(entries)) for one in expected for entries in one.lists.values()):
        yield "the alerts of a list stand in the order of their names"


def _names(entries: Iterable[Entry]) -> list[str]:
    return [entry.alert for entry in entries if entry.alert is not None]


def _unknown(kind: str, names: Iterable[str | None], known: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name is not None and name not in known:
            yield f"no {kind} `{name}` here; {did_you_mean(name, known) or 'there is none'}"
