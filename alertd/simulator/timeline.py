"""Timelines: what a job, or a whole tenant, answers at each step. Pure; the simulator and `alertd test` both play them.

    timeline = parse_timeline(["Active x3", "Quarantine(TooManyDeletes) x2", "error", {"code": "Active"}])
    answers = expand(timeline, start=start, interval=timedelta(minutes=5), job_id="SF.1")
    at_step(answers, 4)                    # a SynchronizationJob, Absent() or Failure(kind); the last one keeps answering

The notation is a contract with everybody who writes tests of rules. In short: a Capitalised word sets `status.code` and the quarantine
object (none without parentheses) and keeps all else; a mapping lays properties over the last answered step; `failed(Code)`, `succeeded`
and `entry_errors(n)` are runs that ended at the step; `error` and `absent` are the other answers. What was never given is null.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import attrs
import yaml

from alertd.model.document import Document, Node
from alertd.model.resources import SynchronizationJob
from alertd.simulator.notation import (
    Absent,
    EntryErrors,
    Failed,
    Failure,
    Good,
    Overlay,
    Run,
    Step,
    Succeeded,
    Word,
    read_steps,
)
from alertd.simulator.properties import Properties, make_job, merge

__all__ = [
    "Absent",
    "Answer",
    "Failure",
    "Good",
    "TenantAnswer",
    "TenantTimeline",
    "Timeline",
    "at_step",
    "expand",
    "expand_tenant",
    "parse_tenant_timeline",
    "parse_timeline",
    "read_tenant_timeline",
    "read_timeline",
]

Answer = SynchronizationJob | Absent | Failure
TenantAnswer = Good | Failure
Given = TypeVar("Given")

_RUNS = uuid.UUID("5f0f9c1e-7f0b-4b5c-8f3e-2d5a6f1c9b10")  # namespace of the runs' activity identifiers


@attrs.frozen
class Timeline:
    """A job's steps, repeats written out; never empty once it was read without a problem."""

    steps: tuple[Step, ...]


@attrs.frozen
class TenantTimeline:
    """A tenant's rounds, repeats written out."""

    steps: tuple[TenantAnswer, ...]


def read_timeline(node: Node) -> Timeline:
    """Read a job's timeline from a file's node; problems are noted in its document."""
    return Timeline(read_steps(node))


def read_tenant_timeline(node: Node) -> TenantTimeline:
    """Read a tenant's timeline (`ok`, `error`, `error(kind)`) from a file's node; problems are noted in its document."""
    steps = read_steps(node, tenant=True)
    return TenantTimeline(tuple(step for step in steps if isinstance(step, Good | Failure)))


def parse_timeline(steps: Sequence[object]) -> Timeline:
    """Read a job's timeline from plain values; raises ConfigError with everything that is wrong."""
    document = _document(steps)
    timeline = read_timeline(document.root.mapping("timeline")["timeline"])
    document.check()
    return timeline


def parse_tenant_timeline(steps: Sequence[object]) -> TenantTimeline:
    """Read a tenant's timeline from plain values; raises ConfigError with everything that is wrong."""
    document = _document(steps)
    timeline = read_tenant_timeline(document.root.mapping("timeline")["timeline"])
    document.check()
    return timeline


def _document(steps: Sequence[object]) -> Document:
    """One reader for both: plain values are read as the file in which they would stand."""
    return Document.parse(yaml.safe_dump({"timeline": list(steps)}, sort_keys=False, allow_unicode=True))


def at_step(answers: Sequence[Given], index: int) -> Given:
    """Give the answer at a step; a shorter timeline's last one keeps answering, without further runs."""
    return answers[min(index, len(answers) - 1)]


def expand_tenant(timeline: TenantTimeline) -> tuple[TenantAnswer, ...]:
    """Give the tenant's answer at each step."""
    return timeline.steps


def expand(
    timeline: Timeline, *, start: datetime, interval: timedelta, job_id: str, template_id: str | None = None
) -> tuple[Answer, ...]:
    """Give the job's answer at each step; step k happens at ``start + k * interval``.

    Equal neighbours are the same object, so that a long unchanged stretch costs nothing.
    """
    player = _Player(job_id, {"templateId": template_id} if template_id is not None else {})
    return tuple(player.play(step, index, start + index * interval) for index, step in enumerate(timeline.steps))


@attrs.define
class _Player:
    """What the job answered last, and since when it has been in quarantine."""

    job_id: str
    properties: Properties
    entry: datetime | None = None
    _last: tuple[Properties, datetime | None, SynchronizationJob] | None = None

    def play(self, step: Step, index: int, at: datetime) -> Answer:
        if isinstance(step, Absent | Failure):
            return step
        self.properties = self._next(step, index, at)
        in_quarantine = _in_quarantine(self.properties)
        self.entry = (self.entry or at) if in_quarantine else None
        return self._job()

    def _next(self, step: Step, index: int, at: datetime) -> Properties:
        match step:
            case Word():
                quarantine = None if step.reason is None else {"reason": step.reason}
                return _with_status(
                    self.properties, {"code": step.code, "quarantine": quarantine}, replace=("quarantine",)
                )
            case Overlay():
                return _overlaid(self.properties, step.properties, at)
            case Succeeded() | Failed() | EntryErrors():
                return self._after_run(step, index, at)
        return self.properties

    def _after_run(self, run: Run, index: int, at: datetime) -> Properties:
        """A job whose first step is a run starts from Active."""
        status = self.properties.get("status") or {"code": "Active"}
        activity = str(uuid.uuid5(_RUNS, f"{self.job_id}/{index}"))
        changes = _run_changes(run, status, {"activityIdentifier": activity, "timeEnded": at})
        return _with_status(self.properties, status | changes, replace=tuple(changes))

    def _job(self) -> SynchronizationJob:
        if self._last is None or self._last[:2] != (self.properties, self.entry):
            job = make_job(self.job_id, _with_entry(self.properties, self.entry))
            self._last = (self.properties, self.entry, job)
        return self._last[2]


def _run_changes(run: Run, status: Properties, execution: Properties) -> Properties:
    match run:
        case Succeeded():
            execution |= {"state": "Succeeded"}
            return {
                "lastExecution": execution,
                "lastSuccessfulExecution": execution,
                "countSuccessiveCompleteFailures": 0,
            }
        case Failed():
            execution |= {"state": "Failed", "error": {"code": run.error_code}}
            failures = status.get("countSuccessiveCompleteFailures") or 0
            return {"lastExecution": execution, "countSuccessiveCompleteFailures": failures + 1}
        case EntryErrors():
            return {"lastExecution": execution | {"state": "EntryLevelErrors", "countEscrowed": run.count}}


def _with_status(properties: Properties, status: Properties, *, replace: tuple[str, ...]) -> Properties:
    """Lay status properties over, those in `replace` as a whole."""
    kept = {name: value for name, value in (properties.get("status") or {}).items() if name not in replace}
    return properties | {"status": kept | status}


def _overlaid(properties: Properties, overlay: Properties, at: datetime) -> Properties:
    merged = merge(properties, overlay, at=at)
    gives_quarantine = "quarantine" in (overlay.get("status") or {})
    if not _in_quarantine(merged) and not gives_quarantine and merged.get("status"):
        merged["status"] = merged["status"] | {"quarantine": None}
    return merged


def _in_quarantine(properties: Properties) -> bool:
    code = (properties.get("status") or {}).get("code")
    return code is not None and code.lower() == "quarantine"


def _with_entry(properties: Properties, entry: datetime | None) -> Properties:
    """Fill in when the quarantine began, where an object is given and does not say so itself."""
    quarantine = (properties.get("status") or {}).get("quarantine")
    if quarantine is None or entry is None:
        return properties
    filled = {"currentBegan": entry, "seriesBegan": entry} | quarantine
    return properties | {"status": properties["status"] | {"quarantine": filled}}
