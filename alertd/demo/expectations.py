"""What has to arrive, and what has: every expectation of every scenario, on every channel.

An arrival is traced to the delivery whose very bytes it is, so what counts is what reached the receiver, whatever its text says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from alertd.model.alert import Identity
from alertd.simulator.inbox import Arrival, Medium
from alertd.simulator.scenario import Expectation, Scenario
from alertd.simulator.tenant import SimulatedTenant
from alertd.store.values import Delivery


@attrs.frozen(kw_only=True)
class Expected:
    """One thing to be told. scenario: the title of the story it belongs to. fingerprints: of the alerts that would do."""

    scenario: str
    alert: str
    tenant: str
    how: str
    fingerprints: frozenset[str]


class Expectations:
    """A list of what is expected, ticked off per channel."""

    def __init__(self, expected: Iterable[Expected]) -> None:
        self.expected = tuple(expected)
        self._found: dict[tuple[Expected, Medium], datetime] = {}

    @property
    def met(self) -> bool:
        """Whether everything has arrived everywhere."""
        return len(self._found) == len(self.expected) * len(Medium)

    def met_for(self, scenario: str) -> bool:
        """Whether everything that belongs to a story has arrived everywhere."""
        wanted = [one for one in self.expected if one.scenario == scenario]
        return all((one, medium) in self._found for one in wanted for medium in Medium)

    def found_at(self, expected: Expected, medium: Medium) -> datetime | None:
        """Say when it arrived on a channel, null if it has not."""
        return self._found.get((expected, medium))

    def note(self, arrivals: Iterable[Arrival], deliveries: Iterable[Delivery]) -> None:
        """Tick off what these arrivals say."""
        by_bytes = {digest: delivery for delivery in deliveries for digest in _digests(delivery)}
        for arrival in arrivals:
            delivery = by_bytes.get(_digest(arrival.message.body))
            if delivery is not None and arrival.shown:
                self._tick(arrival, _said(delivery))

    def _tick(self, arrival: Arrival, said: Mapping[str, frozenset[str]]) -> None:
        for one in self.expected:
            if one.fingerprints & said[one.how]:
                self._found.setdefault((one, arrival.medium), arrival.at)


def expected_of(scenario: Scenario, tenants: Mapping[str, SimulatedTenant]) -> Iterator[Expected]:
    """Give what a scenario expects."""
    for one in scenario.expect:
        yield Expected(
            scenario=scenario.title,
            alert=one.alert,
            tenant=one.tenant,
            how=one.how,
            fingerprints=frozenset(_fingerprints(one, scenario, tenants[one.tenant])),
        )


def _fingerprints(expected: Expectation, scenario: Scenario, tenant: SimulatedTenant) -> Iterator[str]:
    """Give the fingerprints of the alert about the scenario's jobs, and about the tenant itself."""
    key = f"global/{tenant.id}"
    yield Identity(rule=expected.alert, tenant_key=key).fingerprint
    wanted = {job.id for job in scenario.jobs if job.tenant == tenant.name}
    for principal in tenant.principals.values():
        for job in principal.jobs:
            if job.id in wanted:
                identity = Identity(
                    rule=expected.alert, tenant_key=key, service_principal_id=principal.id, job_id=job.id
                )
                yield identity.fingerprint


def _said(delivery: Delivery) -> Mapping[str, frozenset[str]]:
    return {
        "firing": frozenset(one.fingerprint for one in delivery.firing),
        "resolved": frozenset(one.fingerprint for one in delivery.resolved),
        "event": frozenset(one.fingerprint for one in delivery.events),
    }


def _digests(delivery: Delivery) -> Iterator[bytes]:
    yield _digest(delivery.rendered.body)
    if delivery.repeat_rendered is not None:
        yield _digest(delivery.repeat_rendered.body)


def _digest(body: bytes) -> bytes:
    """Know a message by its bytes; mail servers see line ends as CRLF and may add one."""
    return hashlib.sha256(body.replace(b"\r\n", b"\n").rstrip()).digest()
