"""Common causes in the engine: no child slips out before its parent, however slices, rounds and flushes lie, and none is kept for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from alertd.alerts.book import RuleBook
from alertd.alerts.common_cause import CommonCause
from alertd.alerts.sighting import Watched
from alertd.engine.flushing import Flushing
from alertd.engine.rounds import Found, Rounds
from alertd.model.alert import Alert
from alertd.model.reading import Ok, Reading
from alertd.model.resources import ServicePrincipal, SynchronizationJob, SynchronizationStatus
from alertd.notify.matchers import parse_matcher
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.render.annotations import compile_for_children
from alertd.store.port import Store
from alertd.store.sql import SqlStore
from alertd.store.values import TenantRecord
from tests.core.tenant import annotate, rules
from tests.engine.test_digesting import Desk, desk

pytestmark = pytest.mark.anyio

T0 = datetime(2026, 1, 5, 9, tzinfo=UTC)
CONTOSO = Watched(key="global/contoso", name="contoso", tenant_id="contoso")
RULES = """
groups: [{name: small, rules: [{alert: Quarantined, when: status.code == "Quarantine"}]}]
"""
CAUSE = CommonCause(
    alert="Many", matchers=(parse_matcher("alertname=Quarantined"),), at_least=3, annotate=compile_for_children({})
)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@attrs.define
class House:
    """Rounds and flushes over one store, step by step."""

    store: Store
    rounds: Rounds
    flushing: Flushing
    channel: Desk
    tenant: TenantRecord

    async def slice(self, seconds: float, *names: str, code: str = "Quarantine") -> None:
        """Commit a slice in which each of these principals' one job has a state."""
        readings: Mapping[str, Reading] = {
            name: Ok(jobs=(SynchronizationJob(id=name, status=SynchronizationStatus(code=code)),)) for name in names
        }
        self.tenant, self.tally = await self.rounds.commit(CONTOSO, self.tenant, readings, at(seconds))

    async def close(self, seconds: float) -> None:
        self.tenant = await self.rounds.close(CONTOSO, self.tenant, self.tally, at(seconds))

    async def flush(self, seconds: float) -> list[tuple[str, list[str]]]:
        """Flush what is due, and give what is told now: the reason and the names."""
        told = len(self.channel.told)
        await self.flushing.flush_due(at(seconds))
        return [(str(one.reason), [alert.name for alert in one.firing]) for one in self.channel.told[told:]]

    async def alert(self, name: str) -> Alert:
        async with self.store.reading() as reader:
            return next(alert for alert in await reader.alerts() if alert.name == name)

    tally: object = None


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A round has been closed in which all was well; then another one begins."""
    store = await SqlStore.open(tmp_path / "alertd.db")
    channel = desk("webhook")
    root = Route(id="{}", receiver="oncall", group_by=("alertname",), pace=Pace(group_wait=timedelta(0)))
    routing = Routing(root=root, receivers={"oncall": (channel.integration,)}, common_causes=(CAUSE,))
    rounds = Rounds(store, RuleBook(rules(RULES), annotate=annotate), routing)
    flushing = Flushing(store, routing, {channel.integration.id: channel}, DeliveryPolicy())
    tenant = await rounds.begin(CONTOSO)
    found = [Found(principal=ServicePrincipal(id=name, displayName=f"App {name}"), watched=True) for name in "abcd"]
    tenant = await rounds.discovered(CONTOSO, tenant, found, complete=True, now=at(0))
    made = House(store=store, rounds=rounds, flushing=flushing, channel=channel, tenant=tenant)
    await made.slice(0, *"abcd", code="Active")
    await made.close(0)
    yield made
    await store.close()


async def test_a_flush_between_two_slices_tells_no_child(house: House) -> None:
    """group_wait 0s, and somebody else's round wakes the flush loop: the third child comes with the next slice."""
    await house.slice(300, "a", "b")
    between = await house.flush(301)
    await house.slice(302, "c", "d")
    await house.close(303)

    after = await house.flush(303)

    assert between == []
    assert after == [("first_notification", ["Many"])]


async def test_too_few_are_told_as_soon_as_the_round_has_closed(house: House) -> None:
    await house.slice(300, "a", "b")
    between = await house.flush(301)
    await house.close(302)

    assert between == []
    assert await house.flush(302) == [("first_notification", ["Quarantined", "Quarantined"])]


async def test_a_round_that_never_closes_keeps_nothing_from_anybody(house: House) -> None:
    await house.slice(300, "a")

    told = [told for second in range(300, 700, 20) for told in await house.flush(second)]

    assert told == [("first_notification", ["Quarantined"])]
    assert await house.flush(700) == []


async def test_within_one_slice_the_parent_is_there_at_once(house: House) -> None:
    await house.slice(300, *"abcd")
    await house.close(300)

    assert await house.flush(300) == [("first_notification", ["Many"])]


async def test_the_store_gives_the_parent_back_as_it_was(house: House) -> None:
    """With its children, and what they agree in: both are more than a rule's alert has."""
    await house.slice(300, *"abcd")
    await house.close(300)

    parent = await house.alert("Many")

    assert parent.identity.cause == "{}"
    assert {child.title for child in parent.evidence.children} == {"App a", "App b", "App c", "App d"}
    assert parent.annotations["summary"] == "4 alerts Quarantined in contoso"
    assert "App a" in parent.annotations["description"]
    assert CAUSE.owns(parent)
    async with house.store.reading() as reader:
        assert [entry.rule for entry in await reader.transitions(fingerprint=parent.fingerprint)] == ["Many"]
