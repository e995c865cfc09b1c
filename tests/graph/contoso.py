"""What the simulated tenant holds, and what was asked of it and said about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from alertd.model.reading import Failed, Ok, Reading
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedPrincipal, SimulatedTenant

GOOD = {"Salesforce": ["SF.1"], "Workday": ["WD.1", "WD.2"], "Box": []}


def named(contoso: SimulatedTenant, name: str) -> SimulatedPrincipal:
    return next(principal for principal in contoso.principals.values() if principal.display_name == name)


def told(contoso: SimulatedTenant, readings: dict[str, Reading]) -> dict[str, Any]:
    """By display name: the job ids of a good reading, or the kind of a failed one."""
    return {
        contoso.principals[key].display_name: [job.id for job in reading.jobs]
        if isinstance(reading, Ok)
        else reading.kind
        for key, reading in readings.items()
        if isinstance(reading, Ok | Failed)
    }


def batches(simulator: Simulator) -> list[list[str]]:
    """The urls of each batch that was sent."""
    bodies = [json.loads(call.body) for call in simulator.calls if call.path == "/$batch"]
    return [[part["url"] for part in body["requests"]] for body in bodies]


def add_principals(tenant: SimulatedTenant, count: int) -> Sequence[str]:
    return [tenant.add_principal(f"App {number}").id for number in range(count)]
