"""A comparison as a person and as a program read it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from alertd.backtest.comparison import Comparison, Difference, RuleCount
from alertd.backtest.world import Outcome
from alertd.model.alert import Alert, Ended, Event
from alertd.model.views import Subject
from alertd.rehearsal.course import Heard
from alertd.rehearsal.job_name import named_in
from alertd.rehearsal.setting import Setting

Summary = Callable[[Alert | Event], str]
_MARKS = {"current": "-", "candidate": "+"}


def summaries(setting: Setting) -> Summary:
    """Give how the alerts of a setting say what they are about, from what was seen when they began or last changed."""
    book = setting.book()

    def summary(item: Alert | Event) -> str:
        rule = book.named(item.name)
        if rule is None:
            return ""
        tuned = book.tuned(rule, item.labels)
        return book.annotate(tuned, _subject(item), item.labels).get("summary", "")

    return summary


def _subject(item: Alert | Event) -> Subject:
    seen = item.evidence
    begun = item.at if isinstance(item, Event) else item.activeSince
    return Subject(
        now=seen.observed_to or begun, status=seen.status, previous=seen.previous, job=seen.job, tenant=seen.tenant
    )


def heading(comparison: Comparison) -> str:
    """Say what was played."""
    figures = comparison.figures
    return (
        f"{_time(comparison.start)} to {_time(comparison.end)}: {figures.rounds:,} rounds, {figures.readings:,} readings of jobs, "
        f"{figures.changes:,} changes"
    )


def count_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Give a row for each rule that fired or was told of on either side."""
    return [
        {
            "rule": one.rule,
            "alerts": _beside(one.current_alerts, one.candidate_alerts),
            "notifications": _beside(one.current_notifications, one.candidate_notifications),
        }
        for one in comparison.rules
    ]


def _beside(current: int, candidate: int) -> str:
    return str(current) if current == candidate else f"{current} -> {candidate}"


def difference_lines(comparison: Comparison, limit: int) -> Iterator[str]:
    """Say which messages only one side would have sent, each in a line, at most `limit` of them."""
    shown = comparison.differences[:limit]
    for difference in shown:
        yield _line(difference, comparison.start)
    left = len(comparison.differences) - len(shown)
    if left:
        yield f"  and {left:,} more: --limit shows them, --json lists them all"


def _line(difference: Difference, start: datetime) -> str:
    heard = difference.heard
    lists = {
        "firing": [_named(alert) for alert in heard.firing],
        "resolved": [_named(end.alert, end.ended) for end in heard.resolved],
        "events": [_named(event) for event in heard.events],
    }
    told = [f"{name}: {', '.join(entries)}" for name, entries in lists.items() if entries]
    head = f"{_MARKS[difference.side]} {_time(start + heard.at)}  {heard.receiver}  {heard.reason.value}"
    return "  ".join([head, *told])


def _named(item: Alert | Event, ended: Ended | None = None) -> str:
    details = [named_in(item.labels)] if named_in(item.labels) else []
    details += [f"ended {ended.value}"] if ended not in {None, Ended.RESOLVED} and ended else []
    return f"{item.name} ({', '.join(details)})" if details else item.name


def fault_lines(comparison: Comparison) -> Iterator[str]:
    """Name the rules that failed at run time, on either side."""
    for side, outcome in (("current", comparison.current), ("candidate", comparison.candidate)):
        for rule, times in outcome.faults.items():
            yield f"{side} rule {rule} failed {times:,} times: its alerts stayed as they were"


def report(comparison: Comparison, summary: Mapping[str, Summary]) -> dict[str, Any]:
    """Give everything for a program. summary: by side."""
    start = comparison.start
    return {
        "start": _iso(start),
        "end": _iso(comparison.end),
        "rounds": comparison.figures.rounds,
        "readings": comparison.figures.readings,
        "changes": comparison.figures.changes,
        "rules": [_count(one) for one in comparison.rules],
        "notifications": {
            "current": [_heard(one, start, summary["current"]) for one in comparison.current.heard],
            "candidate": [_heard(one, start, summary["candidate"]) for one in comparison.candidate.heard],
        },
        "differences": [
            {"side": one.side, **_heard(one.heard, start, summary[one.side])} for one in comparison.differences
        ],
        "faults": {"current": _faults(comparison.current), "candidate": _faults(comparison.candidate)},
    }


def _count(one: RuleCount) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "current": {"alerts": one.current_alerts, "notifications": one.current_notifications},
        "candidate": {"alerts": one.candidate_alerts, "notifications": one.candidate_notifications},
    }


def _faults(outcome: Outcome) -> dict[str, int]:
    return dict(outcome.faults)


def _heard(heard: Heard, start: datetime, summary: Summary) -> dict[str, Any]:
    return {
        "at": _iso(start + heard.at),
        "receiver": heard.receiver,
        "reason": heard.reason.value,
        "firing": [_item(alert, summary) for alert in heard.firing],
        "resolved": [{**_item(end.alert, summary), "ended": end.ended.value} for end in heard.resolved],
        "events": [_item(event, summary) for event in heard.events],
    }


def _item(item: Alert | Event, summary: Summary) -> dict[str, str]:
    return {
        "alert": item.name,
        "severity": item.severity,
        "subject": named_in(item.labels),
        "summary": summary(item),
    }


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
