"""What service principals answer at each step, from the timelines of their jobs and of their tenant. Pure.

A tenant's failed round stands in the place of its jobs' steps: what they would have done there has not happened. A job whose last step was lost
like that takes it at the first round that is answered, and keeps answering it from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from alertd.errors import PollErrorKind
from alertd.model.reading import Failed, Ok, Reading
from alertd.model.resources import ServicePrincipal, SynchronizationJob
from alertd.rehearsal.job_name import JobName, made_up_principal_id
from alertd.rehearsal.script import JobScript, Script
from alertd.simulator.notation import Absent, Failure, Same, Step
from alertd.simulator.timeline import Answer, Timeline, at_step, expand, expand_tenant


@attrs.frozen(kw_only=True)
class TenantReadings:
    """One tenant's rounds.

    principals: all that discovery lists. failures: the rounds that fail as a whole. answers: by service principal id, each job's answers.
    """

    principals: tuple[ServicePrincipal, ...]
    failures: Sequence[PollErrorKind | None]
    answers: Mapping[str, tuple[tuple[JobName, Sequence[Answer]], ...]]

    def at(self, step: int) -> Mapping[str, Reading]:
        """Give what every service principal answers at a step."""
        failure = _failure_at(self.failures, step)
        if failure is not None:
            return {one.id: Failed(kind=failure) for one in self.principals}
        return {one.id: _reading([at_step(answers, step) for _, answers in self._jobs(one)]) for one in self.principals}

    def told_at(self, step: int) -> Iterator[tuple[str, str]]:
        """Name the tenant's jobs and say in a few words what each answers; the whole tenant goes by an empty name."""
        failure = _failure_at(self.failures, step)
        if failure is not None or not self.answers:
            yield "", "ok" if failure is None else f"error({failure})"
            return
        for one in self.principals:
            for name, answers in self._jobs(one):
                yield str(name), _told(at_step(answers, step))

    def _jobs(self, principal: ServicePrincipal) -> tuple[tuple[JobName, Sequence[Answer]], ...]:
        return self.answers.get(principal.id, ())


def tenant_readings(script: Script, tenant: str) -> TenantReadings:
    """Give what a tenant's service principals answer in a test; a tenant without jobs has one that has none."""
    failures = tuple(_failures(script, tenant))
    answers: dict[str, tuple[tuple[JobName, Sequence[Answer]], ...]] = {}
    principals: list[ServicePrincipal] = []
    for (owner, principal_id), jobs in script.principals.items():
        if owner == tenant:
            principals.append(ServicePrincipal(id=principal_id, displayName=jobs[0].name.service_principal))
            answers[principal_id] = tuple((job.name, _expanded(job, failures, script)) for job in jobs)
    if not principals:
        principals.append(ServicePrincipal(id=made_up_principal_id(tenant, ""), displayName=None))
    return TenantReadings(principals=tuple(principals), failures=failures, answers=answers)


def _failures(script: Script, tenant: str) -> Iterator[PollErrorKind | None]:
    for one in script.tenants:
        if one.tenant == tenant:
            for answer in expand_tenant(one.timeline):
                yield answer.kind if isinstance(answer, Failure) else None


def _failure_at(failures: Sequence[PollErrorKind | None], step: int) -> PollErrorKind | None:
    return at_step(failures, step) if failures else None


def _expanded(job: JobScript, failures: Sequence[PollErrorKind | None], script: Script) -> Sequence[Answer]:
    steps = tuple(_with_failures(job.timeline.steps, failures))
    return expand(Timeline(steps), start=script.start, interval=script.interval, job_id=job.name.id)


def _with_failures(steps: Sequence[Step], failures: Sequence[PollErrorKind | None]) -> Iterator[Step]:
    """Give a job's steps with the tenant's failed rounds in their places, until both timelines have come to their end."""
    last = len(steps) - 1
    begun = kept = False  # something, and the last step, was answered
    for index in range(max(len(steps), len(failures) + 1)):
        failure = _failure_at(failures, index)
        if failure is not None:
            yield Failure(failure)
            continue
        step = steps[min(index, last)]
        if index >= last and kept and not isinstance(step, Absent | Failure):
            step = Same()
        yield step if begun else _first(steps, min(index, last))
        begun = begun or not isinstance(step, Absent | Failure)
        kept = kept or index >= last


def _first(steps: Sequence[Step], index: int) -> Step:
    """Where nothing was answered yet, `same` is the step before the outage that it would have repeated."""
    if not isinstance(steps[index], Same):
        return steps[index]
    return next(step for step in reversed(steps[:index]) if not isinstance(step, Same | Absent | Failure))


def _reading(answers: Sequence[Answer]) -> Reading:
    failure = next((answer for answer in answers if isinstance(answer, Failure)), None)
    if failure is not None:
        return Failed(kind=failure.kind)
    return Ok(jobs=tuple(answer for answer in answers if isinstance(answer, SynchronizationJob)))


def _told(answer: Answer) -> str:
    if isinstance(answer, Failure):
        return f"error({answer.kind})"
    if isinstance(answer, Absent):
        return "absent"
    status = answer.status
    code = (status.code if status else None) or "no status"
    reason = status.quarantine.reason if status and status.quarantine else None
    return f"{code}({reason})" if reason else code
