"""Which changes of a snapshot can change what rules say. Pure.

A run that ends changes eight properties of a job, and a rule that asks for its state looks at none of them: its answer stands, and nothing has to
be read any further. What an expression looks at is known when it is compiled, and what changed is known before it is read. A path too many costs
a question; one too few would be a wrong backtest, so whatever cannot be pinned down concerns everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import attrs

from alertd.diff import value_at
from alertd.model.resources import SynchronizationJob
from alertd.rules.rule import Rule

_RUN = ("activityIdentifier", "state", "timeBegan", "timeEnded", "error.code")

# What the members of `job` follow from, by `model.facts`; those that stand still while a job is there follow from nothing.
JOB_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "id": (),
    "displayName": (),
    "servicePrincipalId": (),
    "appId": (),
    "url": (),
    "firstSeenAt": (),
    "gone": (),
    "appeared": (),
    "templateId": ("job.templateId",),
    "schedule": ("job.schedule",),
    "settings": ("job.settings",),
    "failureStreak": (
        *(f"status.lastExecution.{name}" for name in _RUN),
        "status.countSuccessiveCompleteFailures",
    ),
    "escrowRatio": ("status.lastExecution.countEscrowed", "status.lastExecution.countEntitledForProvisioning"),
    "progressRatio": ("status.progress",),
    "expectedRunAt": (
        "status.code",
        "status.quarantine.nextAttempt",
        "status.lastExecution.timeEnded",
        "job.schedule",
    ),
    "quarantinedSince": ("status.code", "status.quarantine"),
    "disableAt": ("status.code", "status.quarantine"),
}
_FIXED_TENANT = frozenset({"name", "id", "labels"})


@attrs.frozen
class Attention:
    """The paths of a snapshot that some rules look at, each with all below it.

    everything: some rule looks at what cannot be pinned down.
    """

    paths: frozenset[str]
    everything: bool = False

    def concerns(self, changed: tuple[str, ...]) -> bool:
        """Whether a change of these paths can change what a rule says."""
        return self.everything or _touch(self.paths, changed)

    def tells_apart(self, one: SynchronizationJob, other: SynchronizationJob) -> bool:
        """Whether two snapshots differ where some rule looks."""
        return self.everything or any(value_at(one, path) != value_at(other, path) for path in self.paths)


def attention_of(rules: Iterable[Rule]) -> Attention:
    """Give what these rules about jobs look at."""
    paths: set[str] = set()
    everything = False
    for rule in rules:
        for key, expression in rule.expressions:
            for read in expression.reads:
                found = _paths(read, moment=key == "event")
                everything |= found is None
                paths.update(found or ())
    return Attention(frozenset(paths), everything)


def _paths(read: str, *, moment: bool) -> tuple[str, ...] | None:
    """Give the paths of a snapshot that a read follows from; None where it cannot be said.

    What a state reads beside its snapshot, such as the clock, has a horizon that asks about it in time; a moment has none, such as one that counts
    what `transitions` saw within a window.
    """
    root, _, member = read.partition(".")
    if root in {"status", "previous"}:
        return (f"status.{member}" if member else "status",)
    if root in {"job", "previous_job"}:
        return _of_job(member, moment=moment)
    if root == "params" or (root == "tenant" and member.partition(".")[0] in _FIXED_TENANT):
        return ()
    return () if root in {"now", "tenant", "alertd"} and not moment else None


def _of_job(member: str, *, moment: bool) -> tuple[str, ...] | None:
    first, _, rest = member.partition(".")
    if first == "lastSeenAt" and not moment:
        return ()
    found = JOB_MEMBERS.get(first)
    return tuple(f"{path}.{rest}" for path in found) if found and rest else found


@lru_cache(maxsize=4096)
def _touch(looked_at: frozenset[str], changed: tuple[str, ...]) -> bool:
    return any(part in looked_at for path in changed for part in _prefixes(path))


def _prefixes(path: str) -> Iterator[str]:
    """Give a path and all that hold it: ``status.quarantine.reason``, ``status.quarantine``, ``status``."""
    yield path
    for place, character in enumerate(path):
        if character in ".[":
            yield path[:place]
