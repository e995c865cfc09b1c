"""What a person reads of a test: one line if it passed; if not, expected beside found, and what happened around it. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from alertd.model.alert import Alert, Ended, Event
from alertd.model.duration import format_duration
from alertd.rehearsal.course import Heard, Instant
from alertd.rehearsal.expectation import ExpectedNotification
from alertd.rehearsal.job_name import named_in
from alertd.rehearsal.receivers import Attempt
from alertd.rehearsal.verdict import AlertsDiffer, Pair, Verdict

WIDTH = 110
_AROUND = 3  # instants shown before and after one that differs
_INSTANTS_MAX = 30  # more would hide what they are to show


def report(verdict: Verdict, file: str) -> list[str]:
    """Give the lines about one test."""
    script = verdict.script
    if verdict.passed:
        return [f"ok   {file}: {script.name}"]
    lines = [f"FAIL {file}:{script.line}: {script.name}"]
    for differ in verdict.alerts:
        lines += _indented(_alerts(differ))
    if verdict.notifications:
        lines += _indented(_notifications(verdict.notifications))
    lines += _indented(f"note: {note}" for note in verdict.notes)
    return [*lines, *_indented(_happened(verdict))]


def _indented(lines: Iterable[str], by: int = 2) -> list[str]:
    return [f"{' ' * by}{line}" for line in lines]


def _alerts(differ: AlertsDiffer) -> Iterator[str]:
    yield f"expect_alerts at {format_duration(differ.at)} (line {differ.line}), {differ.state}:"
    yield from _wrapped("  - expected  ", ", ".join(map(str, differ.expected)) or "none")
    yield from _wrapped("  + found     ", ", ".join(_named(alert) for alert in differ.found) or "none")
    for difference in differ.differences:
        yield from _wrapped("      ", difference)


def _notifications(pairs: Sequence[Pair]) -> Iterator[str]:
    fitting = sum(pair.fits for pair in pairs)
    expected = sum(pair.expected is not None for pair in pairs)
    found = sum(pair.found is not None for pair in pairs)
    yield f"expect_notifications: {expected} expected, {found} found, {fitting} as expected"
    for pair in pairs:
        yield from _indented(_pair(pair))


def _pair(pair: Pair) -> Iterator[str]:
    if pair.fits and pair.found is not None:
        yield from _wrapped("            ", _heard(pair.found))
        return
    if pair.expected is not None:
        yield from _wrapped("- expected  ", f"{_expected(pair.expected)} (line {pair.expected.line})")
    if pair.found is not None:
        yield from _wrapped("+ found     ", _heard(pair.found))
    for difference in pair.differences:
        yield from _wrapped("      ", difference)


def _expected(one: ExpectedNotification) -> str:
    head = f"{one.at}  {one.receiver or 'any receiver'}  {one.reason or 'any reason'}"
    return _with_lists(head, {name: [str(entry) for entry in entries] for name, entries in one.lists.items()})


def _heard(one: Heard) -> str:
    head = f"{format_duration(one.at)}  {one.receiver}  {one.reason.value}"
    lists = {
        "firing": [_named(alert) for alert in one.firing],
        "resolved": [_named(end.alert, end.ended) for end in one.resolved],
        "events": [_named(event) for event in one.events],
    }
    return _with_lists(head, lists)


def _with_lists(head: str, lists: dict[str, list[str]]) -> str:
    told = [f"{name}: {', '.join(entries)}" for name, entries in lists.items() if entries]
    return "  ".join([head, *told])


def _named(item: Alert | Event, ended: Ended | None = None) -> str:
    details = [named_in(item.labels)] if named_in(item.labels) else []
    details += [f"ended {ended.value}"] if ended not in {None, Ended.RESOLVED} and ended else []
    return f"{item.name} ({', '.join(details)})" if details else item.name


# The timeline around what differs.


def _happened(verdict: Verdict) -> Iterator[str]:
    shown = _around(verdict)
    yield "what happened" if shown else "nothing happened"
    before: Instant | None = None
    for index in shown:
        instant = verdict.course.instants[index]
        if before is not None and verdict.course.instants[index - 1] is not before:
            yield "  ..."
        known = verdict.course.instants[index - 1].alerts if index else ()
        yield from _indented(_instant(instant, known))
        before = instant


def _around(verdict: Verdict) -> list[int]:
    """Give the places of the instants near something that differs."""
    instants = verdict.course.instants
    chosen: set[int] = set()
    for moment in _moments(verdict):
        place = sum(instant.at <= moment for instant in instants) - 1
        chosen |= {index for index in range(place - _AROUND, place + _AROUND + 1) if 0 <= index < len(instants)}
    return sorted(chosen)[:_INSTANTS_MAX]


def _moments(verdict: Verdict) -> Iterator[timedelta]:
    yield from (differ.at for differ in verdict.alerts)
    for pair in verdict.notifications:
        if pair.fits:
            continue
        if pair.expected is not None:
            yield pair.expected.at.first
        if pair.found is not None:
            yield pair.found.at


def _instant(instant: Instant, known: tuple[Alert, ...]) -> Iterator[str]:
    rows = [("", "restart")] if instant.restarted else []
    rows += [("polled", f"{name}: {said}") for name, said in instant.polled]
    if instant.alerts != known:
        states = (f"{_named(alert)} {alert.state.value}" for alert in instant.alerts)
        rows.append(("alerts", ", ".join(states) or "none"))
    rows += [("told", _attempt(attempt)) for attempt in instant.attempts]
    time = format_duration(instant.at)
    for label, text in rows:
        yield from _wrapped(f"{time:<9} {label:<7} ", text)
        time = ""


def _attempt(attempt: Attempt) -> str:
    notification = attempt.notification
    what = "" if attempt.outcome == "accepted" else f" [{attempt.outcome}]"
    lists = {
        "firing": [alert.name for alert in notification.firing],
        "resolved": [end.alert.name for end in notification.resolved],
        "events": [event.name for event in notification.events],
    }
    return _with_lists(f"{attempt.receiver}{what} {notification.reason.value}", lists)


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]
