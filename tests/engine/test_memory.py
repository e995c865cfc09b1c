"""What a round holds does not grow with the tenant: it is listed, read and committed in parts."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alertd.alerts.book import RuleBook
from alertd.alerts.sighting import Watched
from alertd.clock import SystemClock
from alertd.engine.polling import Polling
from alertd.engine.rounds import Rounds
from alertd.graph.discovery import Discovery
from alertd.metrics import Metrics
from alertd.model.reading import Ok, Reading
from alertd.model.requests import Requests
from alertd.model.resources import ServicePrincipal, SynchronizationJob, SynchronizationStatus
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.store.sql import SqlStore

from ..core.tenant import annotate, rules

pytestmark = pytest.mark.anyio

_PAGE, _BATCH = 999, 20
_RULES = """
groups: [{name: tests, rules: [{alert: Quarantined, when: status.code == "Quarantine"}]}]
"""
_IN_LINE = 600  # bytes that a service principal may cost for as long as a round lasts: its id, its place, what is remembered of it


class Tenant:
    """So many service principals with one job each, made when they are asked for and forgotten by us at once."""

    credential_expires_at: datetime | None = None
    requests = Requests()

    def __init__(self, size: int) -> None:
        self._ids = range(size)

    async def listing(self, deadline: datetime) -> AsyncGenerator[Discovery, None]:
        """List all, a page at a time."""
        for start in range(0, len(self._ids), _PAGE):
            yield Discovery(principals=tuple(_principal(number) for number in self._ids[start : start + _PAGE]))

    async def readings(
        self, principal_ids: Iterable[str], deadline: datetime, *_known: object
    ) -> AsyncGenerator[Mapping[str, Reading], None]:
        """Answer for twenty at a time."""
        asked = list(principal_ids)
        for start in range(0, len(asked), _BATCH):
            yield {key: Ok(jobs=(_job(key),)) for key in asked[start : start + _BATCH]}

    def room(self, now: datetime) -> int | None:
        """No budget."""
        return None


def _principal(number: int) -> ServicePrincipal:
    return ServicePrincipal(id=f"{number:08}-0000-4000-8000-000000000000", displayName=f"App {number} {'x' * 500}")


def _job(key: str) -> SynchronizationJob:
    status = SynchronizationStatus(code="Active", troubleshootingUrl=f"https://example.com/{key}/{'x' * 1500}")
    return SynchronizationJob(id=f"J.{key}", status=status)


async def _peak(folder: Path, size: int) -> int:
    """Give the most bytes that a first round holds beyond what stood before it."""
    store = await SqlStore.open(folder / f"{size}.db")
    routing = Routing(root=Route(id="{}", receiver="", group_by=(), pace=Pace()), receivers={})
    polling = Polling(
        Watched(key="global/t-1", name="contoso", tenant_id="t-1"),
        Tenant(size),
        Rounds(store, RuleBook(rules(_RULES), annotate=annotate), routing),
        SystemClock(),
        interval=timedelta(hours=1),
        discovery_interval=timedelta(hours=6),
        metrics=Metrics(process=False),
    )
    tracemalloc.start()
    try:
        tally = await polling.round()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        await store.close()
        assert tally.jobs == size


async def test_a_tenant_four_times_as_large_costs_the_ids_of_those_in_line_and_no_more(tmp_path: Path) -> None:
    """Whole, the larger one's jobs and service principals would take more than ten megabytes."""
    await _peak(tmp_path, 10)  # what is loaded and compiled once

    small, large = await _peak(tmp_path, 2_000), await _peak(tmp_path, 8_000)

    assert large - small < 6_000 * _IN_LINE
