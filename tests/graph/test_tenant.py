"""A tenant, discovered and read through real TLS, real MSAL and the real transport."""

from __future__ import annotations

from datetime import datetime

import pytest

from alertd.graph.tenant import GraphTenant
from alertd.model.reading import Ok
from alertd.simulator.tenant import SimulatedTenant

pytestmark = pytest.mark.anyio


def ids(tenant: SimulatedTenant) -> list[str]:
    return list(tenant.principals)


async def test_discover_and_read(graph: GraphTenant, contoso: SimulatedTenant, deadline: datetime) -> None:
    discovery = await graph.discover(deadline)
    readings = await graph.read([principal.id for principal in discovery.principals], deadline)

    assert discovery.complete
    assert {principal.displayName for principal in discovery.principals} == {"Salesforce", "Workday", "Box"}
    by_name = {contoso.principals[key].display_name: reading for key, reading in readings.items()}
    assert {name: [job.id for job in reading.jobs] for name, reading in by_name.items() if isinstance(reading, Ok)} == {
        "Salesforce": ["SF.1"],
        "Workday": ["WD.1", "WD.2"],
        "Box": [],
    }
