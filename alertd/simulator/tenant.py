"""One simulated tenant: its service principals and jobs, who may sign in, and what is wrong with it at the moment."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs
import msgspec

from alertd.errors import PollErrorKind
from alertd.model.resources import SynchronizationJob
from alertd.simulator.odata import Outcome
from alertd.simulator.timeline import Absent, Answer, Failure, TenantAnswer, at_step
from alertd.simulator.wire import job_body

_NAMES = uuid.UUID("9d3b0b52-5f0a-4c51-9d3c-8a7d1c5e2f64")  # namespace of ids derived from names
READER_ROLES = frozenset({"Synchronization.Read.All", "Application.Read.All"})


def derived_id(*names: str) -> str:
    """Give the GUID that stands for these names in every run."""
    return str(uuid.uuid5(_NAMES, "\0".join(names)))


@attrs.define(kw_only=True)
class Script:
    """Answers in place of the usual ones: first those in `following`, one request each, then `always` if there is one."""

    following: deque[Outcome] = attrs.field(factory=deque)
    always: Outcome | None = None

    def next(self) -> Outcome | None:
        """Take the answer of this request; null means the usual one."""
        return self.following.popleft() if self.following else self.always


@attrs.define(kw_only=True)
class SimulatedJob:
    """A job that plays answers: number k from ``start + k * interval`` on.

    raw: the bytes sent instead of the job's, for malformed ones.
    """

    id: str
    answers: tuple[Answer, ...]
    start: datetime
    interval: timedelta
    raw: bytes | None = None
    _written: tuple[Answer, bytes] | None = None

    def answer(self, now: datetime) -> Answer:
        """Give what it answers at an instant; before its start, as at its start."""
        return at_step(self.answers, max(0, (now - self.start) // self.interval))

    def body(self, now: datetime) -> bytes | None:
        """Write it as JSON, null where it is not listed; what has not changed is not written anew."""
        answer = self.answer(now)
        if not isinstance(answer, SynchronizationJob):
            return None
        if self.raw is not None:
            return self.raw
        if self._written is None or self._written[0] is not answer:
            self._written = (answer, msgspec.json.encode(job_body(answer)))
        return self._written[1]

    def set(self, answer: Answer) -> None:
        """Answer this from now on, whatever the timeline says."""
        self.answers = (answer,)


@attrs.define(kw_only=True)
class SimulatedPrincipal:
    """A service principal; `script` answers for its jobs."""

    id: str
    display_name: str
    app_id: str
    jobs: list[SimulatedJob] = attrs.field(factory=list)
    account_enabled: bool = True
    service_principal_type: str = "Application"
    application_template_id: str | None = None
    script: Script = attrs.field(factory=Script)

    def failure(self, now: datetime) -> PollErrorKind | None:
        """Give how its answer fails at an instant: one job that says so fails them all."""
        answers = (job.answer(now) for job in self.jobs)
        return next((answer.kind for answer in answers if isinstance(answer, Failure)), None)


@attrs.define(kw_only=True)
class Throttle:
    """At most `limit` requests per `window` seconds, parts of a batch counted one by one."""

    limit: int
    window: float = 10.0
    retry_after: float = 2.128
    _counted: deque[datetime] = attrs.field(factory=deque)

    def allows(self, now: datetime) -> bool:
        """Count a request, or refuse it."""
        while self._counted and (now - self._counted[0]).total_seconds() >= self.window:
            self._counted.popleft()
        if len(self._counted) >= self.limit:
            return False
        self._counted.append(now)
        return True


@attrs.frozen(kw_only=True)
class PasswordCredential:
    """A client secret as the application object shows it: never whole, only how it begins."""

    text: str = attrs.field(repr=False)
    ends_at: datetime | None = None


@attrs.define(kw_only=True)
class SimulatedTenant:
    """One tenant.

    secrets: the client secrets that are accepted. certificates: registered ones, as PEM. federated_subjects: whose assertions are accepted.
    roles: application permissions with admin consent. token_lifetime: seconds. script: answers for every request to Graph, sign_in for
    every one for a token. mails: what sendMail was given, as (sender, MIME).
    """

    name: str
    id: str
    client_id: str
    secrets: list[PasswordCredential] = attrs.field(factory=list)
    certificates: list[bytes] = attrs.field(factory=list)
    federated_subjects: set[str] = attrs.field(factory=set)
    roles: set[str] = attrs.field(factory=lambda: set(READER_ROLES))
    token_lifetime: int = 3599
    principals: dict[str, SimulatedPrincipal] = attrs.field(factory=dict)
    answers: tuple[TenantAnswer, ...] = ()
    start: datetime | None = None
    interval: timedelta = timedelta(minutes=5)
    script: Script = attrs.field(factory=Script)
    sign_in: Script = attrs.field(factory=Script)
    failing: PollErrorKind | None = None
    throttle: Throttle | None = None
    latency: float = 0.0
    mails: list[tuple[str, bytes]] = attrs.field(factory=list)

    def add_principal(self, display_name: str, *, id: str | None = None) -> SimulatedPrincipal:  # noqa: A002 - Graph's own name
        """Add a service principal, or give the one there is of that name and id."""
        identifier = id or derived_id(self.id, display_name)
        fresh = SimulatedPrincipal(id=identifier, display_name=display_name, app_id=derived_id("app", display_name))
        return self.principals.setdefault(identifier, fresh)

    def add_job(
        self,
        display_name: str,
        job_id: str,
        answers: Sequence[Answer],
        *,
        start: datetime,
        interval: timedelta = timedelta(minutes=5),
        principal_id: str | None = None,
    ) -> SimulatedJob:
        """Add a job to a service principal, which is made where there is none of that name and id."""
        job = SimulatedJob(id=job_id, answers=tuple(answers) or (Absent(),), start=start, interval=interval)
        self.add_principal(display_name, id=principal_id).jobs.append(job)
        return job

    def failure(self, now: datetime) -> PollErrorKind | None:
        """Give how the whole tenant fails at an instant, null where it does not."""
        if self.failing is not None or not self.answers or self.start is None:
            return self.failing
        answer = at_step(self.answers, max(0, (now - self.start) // self.interval))
        return answer.kind if isinstance(answer, Failure) else None
