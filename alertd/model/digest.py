"""A digest: how everything watched stood at one instant, and what has become of it since the digest before. Plain values.

Digests add up: one is made of each portion of jobs, and the sum of all portions and tenants is the digest. Counts are whole; of everything
that is listed only the worst are kept, so that a digest of a million jobs is as small as one of two hundred.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import attrs

from alertd.model.alert import SEVERITIES
from alertd.model.cron import Cron

KEPT = 200  # of each list; what a channel shows of them follows from its limits

Listed = TypeVar("Listed")
_NEVER = float("inf")


@attrs.frozen(kw_only=True)
class DigestSchedule:
    """Who gets a digest, and when. timezone: whose wall clock the expression means."""

    receiver: str
    cron: Cron
    timezone: ZoneInfo

    @property
    def key(self) -> str:
        """What it stands under in the store: one that is changed is another one."""
        return f"{self.receiver}: {self.cron} {self.timezone.key}"


@attrs.frozen(kw_only=True)
class QuarantinedJob:
    """A job in quarantine. since: null where nobody knows. disable_at: when the service disables it at the latest."""

    tenant: str
    title: str
    job_id: str
    reason: str = ""
    error_code: str = ""
    since: datetime | None = None
    disable_at: datetime | None = None
    url: str | None = None


@attrs.frozen(kw_only=True)
class EscrowTrend:
    """A job whose objects with errors (escrows) have become more or fewer. before: at the digest before, by the history."""

    tenant: str
    title: str
    job_id: str
    before: int
    now: int
    url: str | None = None

    @property
    def growth(self) -> int:
        """How many more there are; negative where there are fewer."""
        return self.now - self.before


@attrs.frozen(kw_only=True)
class UnresolvedAlert:
    """An alert that fires. silenced: somebody does not want to hear of it now."""

    name: str
    severity: str
    tenant: str
    title: str
    since: datetime
    summary: str = ""
    fingerprint: str = ""
    silenced: bool = False
    url: str | None = None


@attrs.frozen(kw_only=True)
class FailedDelivery:
    """An integration at which deliveries were given up since the digest before. error: the latest one's."""

    integration: str
    count: int
    last_at: datetime
    error: str = ""


@attrs.frozen(kw_only=True)
class UnreadTenant:
    """A tenant of which the latest round could not read everything.

    error: kind of failure; empty where it was never asked. whole: nothing at all answered. failed_rounds: such rounds in a row.
    applications: how many did not answer.
    """

    tenant: str
    error: str = ""
    whole: bool = True
    failed_rounds: int = 0
    applications: int = 0
    last_poll_at: datetime | None = None


@attrs.frozen(kw_only=True)
class TenantHealth:
    """A tenant's jobs. states: how many have each `status.code`. failing: those whose latest run failed, outside of quarantine.

    read: everything answered in the latest round, so that the rest is as of then.
    """

    tenant: str
    jobs: int = 0
    states: Mapping[str, int] = attrs.field(factory=dict)
    quarantined: int = 0
    failing: int = 0
    firing: int = 0
    read: bool = True

    @property
    def fine(self) -> bool:
        """Whether there is nothing to tell of it."""
        return self.read and not (self.quarantined or self.failing or self.firing)

    def __add__(self, other: TenantHealth) -> TenantHealth:
        return attrs.evolve(
            self,
            jobs=self.jobs + other.jobs,
            states=_summed(self.states, other.states),
            quarantined=self.quarantined + other.quarantined,
            failing=self.failing + other.failing,
            firing=self.firing + other.firing,
            read=self.read and other.read,
        )


@attrs.frozen(kw_only=True)
class Digest:
    """Everything on one page; of each list the worst come first, and `..._total` says how many there are.

    since: the digest before, or when this one was set up; null where there is none. at: when it was gathered.
    states, firing: jobs by `status.code`, alerts by severity. escrows, escrows_before: objects with errors over the jobs of which the
    history knows both; a job that was not there before counts in neither.
    """

    at: datetime
    since: datetime | None = None
    jobs: int = 0
    states: Mapping[str, int] = attrs.field(factory=dict)
    failing: int = 0
    firing: Mapping[str, int] = attrs.field(factory=dict)
    escrows: int = 0
    escrows_before: int = 0
    tenants: tuple[TenantHealth, ...] = ()
    tenants_total: int = 0
    fine_total: int = 0
    unread: tuple[UnreadTenant, ...] = ()
    unread_total: int = 0
    quarantined: tuple[QuarantinedJob, ...] = ()
    quarantined_total: int = 0
    unresolved: tuple[UnresolvedAlert, ...] = ()
    unresolved_total: int = 0
    trends: tuple[EscrowTrend, ...] = ()
    trends_total: int = 0
    failed: tuple[FailedDelivery, ...] = ()
    failed_total: int = 0

    @property
    def well(self) -> bool:
        """Whether nobody needs to do anything."""
        return not (self.quarantined_total or self.unresolved_total or self.failed_total or self.unread_total)

    @property
    def severity(self) -> str | None:
        """The worst severity among what fires; null where nothing does."""
        known = [severity for severity in SEVERITIES if severity in self.firing]
        return known[0] if known else next(iter(self.firing), None)

    @property
    def unhealthy(self) -> tuple[TenantHealth, ...]:
        """The tenants listed of which something is to be told."""
        return tuple(one for one in self.tenants if not one.fine)

    @property
    def unhealthy_total(self) -> int:
        """How many tenants there are of which something is to be told."""
        return self.tenants_total - self.fine_total

    @property
    def listed(self) -> int:
        """How many lines all lists have together."""
        return sum(len(getattr(self, name)) for name in _ORDERS)

    def __add__(self, other: Digest) -> Digest:
        """Put two together; the same tenant in both is one."""
        both = self.tenants + other.tenants
        tenants = _tenants(both)
        counted_twice = {
            "tenants_total": len(both) - len(tenants),
            "fine_total": sum(one.fine for one in both) - sum(one.fine for one in tenants),
        }
        lists = {name: getattr(self, name) + getattr(other, name) for name in _ORDERS} | {"tenants": tenants}
        together: dict[str, Any] = {
            name: getattr(self, name) + getattr(other, name) - counted_twice.get(name, 0) for name in _COUNTS
        }
        together |= {name: _worst(items, _ORDERS[name], KEPT) for name, items in lists.items()}
        together |= {"states": _summed(self.states, other.states), "firing": _summed(self.firing, other.firing)}
        return attrs.evolve(self, **together)

    def shortened(self, lines: int) -> Digest:
        """Give the same with at most so many lines in each list."""
        kept: dict[str, Any] = {name: getattr(self, name)[:lines] for name in _ORDERS}
        return attrs.evolve(self, **kept)


def _when(instant: datetime | None) -> float:
    return _NEVER if instant is None else instant.timestamp()


# What comes first of each list: the earliest deadline, the longest trouble, the greatest growth.
_ORDERS: Mapping[str, Callable[[Any], tuple[Any, ...]]] = {
    "tenants": lambda one: (-one.quarantined, -one.firing, -one.failing, one.read, one.tenant),
    "unread": lambda one: (not one.whole, -one.failed_rounds, -one.applications, one.tenant),
    "quarantined": lambda one: (_when(one.disable_at), _when(one.since), one.tenant, one.title, one.job_id),
    "unresolved": lambda one: (_when(one.since), one.tenant, one.title, one.name),
    "trends": lambda one: (-one.growth, one.tenant, one.title, one.job_id),
    "failed": lambda one: (-one.count, one.integration),
}
_COUNTS = ("jobs", "failing", "escrows", "escrows_before", "fine_total", *(f"{name}_total" for name in _ORDERS))


def _worst(items: Iterable[Listed], order: Callable[[Listed], Any], most: int) -> tuple[Listed, ...]:
    return tuple(heapq.nsmallest(most, items, key=order))


def health(*tenants: TenantHealth) -> dict[str, Any]:
    """Give what a digest of these tenants says of their number."""
    return {"tenants": tenants, "tenants_total": len(tenants), "fine_total": sum(one.fine for one in tenants)}


def _tenants(found: Iterable[TenantHealth]) -> tuple[TenantHealth, ...]:
    by_name: dict[str, TenantHealth] = {}
    for one in found:
        by_name[one.tenant] = by_name[one.tenant] + one if one.tenant in by_name else one
    return tuple(by_name.values())


def _summed(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    """Add counts, the most frequent first."""
    together = Counter(one) + Counter(other)
    return dict(sorted(together.items(), key=lambda pair: (-pair[1], pair[0])))
