"""Scenarios: what happens to whom, told in timelines, with what a watcher is expected to say about it.

They are YAML files in the words of the tests of rules; the shipped ones are found by name.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from pathlib import Path

import attrs

from alertd.errors import ConfigError, Problem
from alertd.model.document import Document, Node
from alertd.model.suggestion import did_you_mean
from alertd.simulator.timeline import TenantTimeline, Timeline, read_tenant_timeline, read_timeline

EXPECTED = ("firing", "resolved", "event")


@attrs.frozen(kw_only=True)
class ScenarioJob:
    """A job and what it answers. service_principal_id: null means one derived from the names."""

    tenant: str
    service_principal: str
    service_principal_id: str | None = None
    id: str
    timeline: Timeline


@attrs.frozen(kw_only=True)
class ScenarioTenant:
    """A tenant, and how its rounds go where that matters."""

    name: str
    timeline: TenantTimeline | None = None


@attrs.frozen(kw_only=True)
class ReceiverOutage:
    """A receiver answers 503 in [starts, ends), both counted from the scenario's start."""

    receiver: str
    starts: timedelta
    ends: timedelta


@attrs.frozen(kw_only=True)
class Expectation:
    """What a watcher with the shipped rules says in the end: `how` is one of EXPECTED."""

    alert: str
    tenant: str
    how: str


@attrs.frozen(kw_only=True)
class Scenario:
    """One story. interval: of the timelines' steps. idle: service principals without jobs, as (tenant, name)."""

    name: str
    title: str
    description: str = ""
    interval: timedelta = timedelta(minutes=5)
    tenants: tuple[ScenarioTenant, ...] = ()
    jobs: tuple[ScenarioJob, ...] = ()
    idle: tuple[tuple[str, str], ...] = ()
    receivers_down: tuple[ReceiverOutage, ...] = ()
    expect: tuple[Expectation, ...] = ()

    @classmethod
    def load(cls, source: str | Path) -> Scenario:
        """Read a file, or a shipped scenario by its name; raises ConfigError with everything that is wrong."""
        path = Path(source) if isinstance(source, Path) or Path(source).suffix else _shipped(source)
        document = Document.load(path)
        scenario = _read(document.root, path.stem) if not document.problems else None
        document.check()
        return scenario if scenario is not None else cls(name=path.stem, title="")

    @property
    def tenant_names(self) -> tuple[str, ...]:
        """Every tenant that appears, in order of appearance."""
        names = (
            [tenant.name for tenant in self.tenants]
            + [job.tenant for job in self.jobs]
            + [tenant for tenant, _ in self.idle]
        )
        return tuple(dict.fromkeys(names))

    @property
    def length(self) -> timedelta:
        """From the start to the last thing that happens."""
        timelines = [job.timeline for job in self.jobs] + [
            tenant.timeline for tenant in self.tenants if tenant.timeline
        ]
        steps = max((len(timeline.steps) for timeline in timelines), default=1)
        return max([(steps - 1) * self.interval, *(outage.ends for outage in self.receivers_down)])


def scenarios() -> tuple[str, ...]:
    """Give the names of the shipped scenarios."""
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def _folder() -> Path:
    return Path(str(resources.files("alertd.simulator"))) / "scenarios"


def _shipped(name: str) -> Path:
    if name not in scenarios():
        cure = did_you_mean(name, scenarios())
        raise ConfigError([Problem(found=f"scenario `{name}`", expected="a shipped scenario, or a file", cure=cure)])
    return _folder() / f"{name}.yaml"


def _read(node: Node, name: str) -> Scenario:
    fields = node.mapping(
        "title", "description", "interval", "tenants", "jobs", "service_principals", "receivers_down", "expect"
    )
    return Scenario(
        name=name,
        title=fields["title"].text(),
        description=fields["description"].text(""),
        interval=fields["interval"].duration(timedelta(minutes=5), least=timedelta(seconds=1)),
        tenants=tuple(_read_tenant(place) for place in fields["tenants"].sequence()),
        jobs=tuple(_read_job(place) for place in fields["jobs"].sequence()),
        idle=tuple(_read_principal(place) for place in fields["service_principals"].sequence()),
        receivers_down=tuple(_read_outage(place) for place in fields["receivers_down"].sequence()),
        expect=tuple(_read_expectation(place) for place in fields["expect"].sequence()),
    )


def _read_tenant(node: Node) -> ScenarioTenant:
    fields = node.mapping("tenant", "timeline")
    timeline = read_tenant_timeline(fields["timeline"]) if "timeline" in fields else None
    return ScenarioTenant(name=fields["tenant"].text(), timeline=timeline)


def _read_job(node: Node) -> ScenarioJob:
    fields = node.mapping("job", "timeline")
    timeline = read_timeline(fields["timeline"])
    if fields["job"].scalar:
        tenant, principal, job_id = _read_job_name(fields["job"])
        return ScenarioJob(tenant=tenant, service_principal=principal, id=job_id, timeline=timeline)
    parts = fields["job"].mapping("tenant", "servicePrincipal", "servicePrincipalId", "id")
    return ScenarioJob(
        tenant=parts["tenant"].text(),
        service_principal=parts["servicePrincipal"].text(),
        service_principal_id=parts["servicePrincipalId"].text(None),
        id=parts["id"].text(),
        timeline=timeline,
    )


def _read_job_name(node: Node) -> tuple[str, str, str]:
    """Split ``tenant/displayName/job id`` at the first and the last `/`: a display name may hold some itself."""
    tenant, _, rest = node.text().partition("/")
    principal, _, job_id = rest.rpartition("/")
    if not (tenant and principal and job_id):
        node.problem(expected="tenant/displayName/job id")
    return tenant, principal, job_id


def _read_principal(node: Node) -> tuple[str, str]:
    tenant, _, principal = node.text().partition("/")
    if not (tenant and principal):
        node.problem(expected="tenant/displayName")
    return tenant, principal


def _read_outage(node: Node) -> ReceiverOutage:
    fields = node.mapping("receiver", "from", "to")
    return ReceiverOutage(
        receiver=fields["receiver"].text(), starts=fields["from"].duration(), ends=fields["to"].duration()
    )


def _read_expectation(node: Node) -> Expectation:
    fields = node.mapping("alert", "tenant", "how")
    return Expectation(alert=fields["alert"].text(), tenant=fields["tenant"].text(), how=fields["how"].choice(EXPECTED))
