"""How expectations are written. Only their form can be wrong here: what they expect is judged when the test has run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from alertd.model.document import Node
from alertd.model.duration import parse_duration
from alertd.rehearsal.expectation import Entry, ExpectedAlerts, ExpectedNotification, Moments
from alertd.rehearsal.job_name import JobName

Given = TypeVar("Given")

STATES = ("firing", "pending", "baseline")
_LISTS = ("firing", "resolved", "events")
_JOB_KEYS = ("tenant", "servicePrincipal", "servicePrincipalId", "id")


def read_job_name(node: Node) -> JobName | None:
    """Read ``tenant/displayName/job id``, or a mapping of its parts; null where it is neither, which has been noted then."""
    if node.scalar:
        return _read(node, JobName.parse, "tenant/displayName/job id, such as contoso/Salesforce/SF.1")
    if node.null:
        node.problem(expected="tenant/displayName/job id", cure="add `job`")
        return None
    fields = node.mapping(*_JOB_KEYS)
    before = len(node.document.problems)
    name = JobName(
        tenant=fields["tenant"].text(),
        service_principal=fields["servicePrincipal"].text(),
        id=fields["id"].text(),
        service_principal_id=fields["servicePrincipalId"].text(None),
    )
    return name if len(node.document.problems) == before else None


def read_expected_alerts(node: Node) -> ExpectedAlerts:
    """Read one entry of `expect_alerts`."""
    fields = node.mapping("at", *STATES)
    return ExpectedAlerts(
        at=fields["at"].duration(),
        states={state: _entries(fields[state]) for state in STATES if fields[state].given},
        line=node.line,
    )


def read_expected_notification(node: Node) -> ExpectedNotification:
    """Read one entry of `expect_notifications`."""
    fields = node.mapping("at", "receiver", "reason", *_LISTS)
    return ExpectedNotification(
        at=_moments(fields["at"]),
        receiver=fields["receiver"].text(None),
        reason=fields["reason"].text(None),
        firing=_entries(fields["firing"]),
        resolved=_entries(fields["resolved"], "ended"),
        events=_entries(fields["events"]),
        line=node.line,
    )


def _entries(node: Node, *more: str) -> tuple[Entry, ...]:
    return tuple(_entry(place, more) for place in node.sequence())


def _entry(node: Node, more: tuple[str, ...]) -> Entry:
    if node.scalar:
        return Entry(alert=node.text())
    if node.null:
        node.problem(expected="an alert's name, or a mapping with `alert`")
        return Entry()
    fields = node.mapping("alert", "job", "labels", "severity", "contains", *more)
    return Entry(
        alert=fields["alert"].text(None),
        job=read_job_name(fields["job"]) if fields["job"].given else None,
        labels={name: value.text("") for name, value in fields["labels"].entries()},
        severity=fields["severity"].text(None),
        contains=fields["contains"].text(None),
        ended=fields["ended"].text(None) if more else None,
    )


def _moments(node: Node) -> Moments:
    zero = Moments(first=timedelta(0), last=timedelta(0))
    if node.scalar:
        return _read(node, _parse_moments, "a moment such as 15m, or a range such as 25m..1h") or zero
    node.problem(expected="a moment such as 15m, or a range such as 25m..1h", cure="add `at`" if not node.given else "")
    return zero


def _parse_moments(text: str) -> Moments:
    first, dots, last = text.partition("..")
    begin = parse_duration(first)
    return Moments(first=begin, last=parse_duration(last) if dots else begin)


def _read(node: Node, read: Callable[[str], Given], expected: str) -> Given | None:
    try:
        return read(node.text())
    except ValueError as exc:
        node.problem(expected=expected, cure=str(exc) if str(exc) not in expected else "")
        return None
