"""A tenant that is read round by round, with its records kept as the store would keep them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import attrs

from alertd.alerts.book import RuleBook
from alertd.alerts.judgement import Move
from alertd.alerts.observation import Observation, Slice, observe
from alertd.alerts.sighting import Watched
from alertd.alerts.tally import closed_round
from alertd.model.alert import Alert
from alertd.model.document import Document
from alertd.model.reading import Failed, NotAsked, Ok, Reading
from alertd.model.resources import (
    ServicePrincipal,
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationStatus,
)
from alertd.model.views import Subject
from alertd.notify.matchers import Matcher
from alertd.rules.loader import read_rules
from alertd.rules.rule import Rule
from alertd.store.values import HistoryEntry, JobRecord, PrincipalRecord, TenantRecord

from .alerts import START

POLL = timedelta(minutes=5)

RULES = """
groups:
  - name: tests
    rules:
      - alert: Quarantined
        when: status.code == "Quarantine"
        clear_when: status.code == "Active"
        labels: {team: identity}
      - alert: PausedLong
        when: status.code == "Paused"
        for: 10m
      - alert: SeenLongAgo
        when: age(job.lastSeenAt) > minutes(12)
      - {alert: Changed, event: changed(status.code)}
      - {alert: Appeared, event: job.appeared}
      - {alert: Gone, event: job.gone}
  - name: others
    scope: tenant
    rules:
      - {alert: OfTenants, when: tenant.name != "nobody"}
"""


@attrs.frozen(kw_only=True)
class Override:
    """As the configuration gives it."""

    alert: str
    matchers: tuple[Matcher, ...] = ()
    params: Mapping[str, object] = attrs.field(factory=dict)
    severity: str | None = None
    hold_duration: timedelta | None = None
    enabled: bool | None = None


def rules(text: str = RULES) -> list[Rule]:
    """Read rules as from a file."""
    document = Document.parse(text)
    found = read_rules(document)
    document.check()
    return found


def annotate(rule: Rule, subject: Subject, labels: Mapping[str, str]) -> Mapping[str, str]:
    """Say what rule saw which state."""
    return {"summary": f"{rule.name}: {subject.status.code if subject.status else None} in {labels['tenant']}"}


def book(text: str = RULES, *overrides: Override) -> RuleBook:
    """Make a rule book of a few small rules."""
    return RuleBook(rules(text), overrides, annotate=annotate)


def job(code: str | None, identifier: str = "SF.1", **status: object) -> SynchronizationJob:
    """Give a job's snapshot; without a code its status is empty."""
    return SynchronizationJob(id=identifier, status=SynchronizationStatus(code=code, **status))


def quarantined(series: datetime, identifier: str = "SF.1") -> SynchronizationJob:
    """Give a job in a series of quarantines."""
    return job("Quarantine", identifier, quarantine=SynchronizationQuarantine(seriesBegan=series))


class Play:
    """One tenant with service principals; every call of `round` is a round of its own, one poll after the last."""

    def __init__(
        self, rule_book: RuleBook | None = None, *principals: PrincipalRecord, tells_first_sight: bool = True
    ) -> None:
        self.book = rule_book or book()
        self.watched = Watched(
            key="global/t-1",
            name="contoso",
            tenant_id="t-1",
            labels={"region": "emea", "team": "nobody", "severity": "none"},
            portal_url=lambda identifier: f"https://portal/{identifier}",
        )
        self.tenant = TenantRecord(key="global/t-1", name="contoso")
        self.principals = {one.principal.id: one for one in principals or (principal(),)}
        self.jobs: dict[tuple[str, str, str], JobRecord] = {}
        self.alerts: dict[str, Alert] = {}
        self.history: list[HistoryEntry] = []
        self.now = START - POLL
        self._tells_first_sight = tells_first_sight

    def read(self, *jobs: SynchronizationJob, unreadable: Iterable[str] = (), after: timedelta = POLL) -> Observation:
        """Let the first service principal answer with these jobs."""
        return self.round(Ok(jobs=jobs, unreadable=tuple((name, "$.status") for name in unreadable)), after=after)

    def fail(self, kind: object, after: timedelta = POLL) -> Observation:
        """Let the first service principal not answer."""
        return self.round(Failed(kind=kind), after=after)

    def skip(self, after: timedelta = POLL) -> Observation:
        """Do not ask the first service principal."""
        return self.round(NotAsked(), after=after)

    def round(
        self, *readings: Reading, after: timedelta = POLL, asleep: Mapping[str, datetime | None] | None = None
    ) -> Observation:
        """Read the principals in their order, keep what changed, and close the round."""
        self.now += after
        part = Slice(
            watched=self.watched,
            tenant=self.tenant,
            principals=tuple(self.principals.values()),
            jobs=tuple(self.jobs.values()),
            alerts=tuple(self.alerts.values()),
            readings=dict(zip(self.principals, readings, strict=False)),
            now=self.now,
            tells_first_sight=self._tells_first_sight,
            asleep=asleep or {},
        )
        seen = observe(part, self.book)
        self._keep(seen)
        self.tenant = closed_round(self.tenant, seen.tally, self.now)
        return seen

    def _keep(self, seen: Observation) -> None:
        self.principals |= {one.principal.id: one for one in seen.principals}
        self.jobs |= {one.key: one for one in seen.jobs}
        for key in seen.gone:
            del self.jobs[key]
        self.history += seen.history
        for move in seen.moves:
            self._move(move)

    def _move(self, move: Move) -> None:
        if move.after is not None:
            self.alerts[move.after.fingerprint] = move.after
        elif move.before is not None:
            del self.alerts[move.before.fingerprint]

    def states(self) -> dict[str, str]:
        """Give the state of every alert by its rule's name."""
        return {alert.name: alert.state.value for alert in self.alerts.values()}

    @property
    def job(self) -> JobRecord:
        """The only job."""
        (only,) = self.jobs.values()
        return only


def principal(identifier: str = "sp-1", **more: object) -> PrincipalRecord:
    """Give a service principal of the tenant's first discovery."""
    found = ServicePrincipal(id=identifier, displayName="Salesforce", appId="app-1")
    return PrincipalRecord(tenant_key="global/t-1", principal=found, **{"first_discovery": True, **more})


def names(seen: Observation) -> list[str]:
    """Give what happened: events by name, moves by name and states."""
    moves = [f"{_state(move.before)}->{_state(move.after)} {(move.after or move.before).name}" for move in seen.moves]  # type: ignore[union-attr]
    return [*moves, *(event.name for event in seen.events)]


def _state(alert: Alert | None) -> str:
    return alert.state.value if alert else "inactive"


ACTIVE, QUARANTINE, PAUSED = job("Active"), job("Quarantine"), job("Paused")
