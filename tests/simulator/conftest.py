"""A simulator, and a plain client to look at it from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx
import pytest
import trustme

from alertd.simulator.server import SimulatorServer, Tls
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedTenant
from alertd.simulator.timeline import expand, parse_timeline

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@attrs.define
class ManualClock:
    at: datetime = START

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(clock=clock)


@pytest.fixture
def contoso(simulator: Simulator) -> SimulatedTenant:
    """Salesforce with a job that fails and then goes into quarantine, and two principals without jobs."""
    tenant = simulator.add_tenant("contoso")
    steps = ["Active", "failed(Oops)", "Quarantine(TooManyDeletes)", "absent", "error(permission)"]
    answers = expand(parse_timeline(steps), start=START, interval=timedelta(minutes=5), job_id="SF.1")
    tenant.add_job("Salesforce", "SF.1", answers, start=START)
    tenant.add_principal("Box")
    tenant.add_principal("Zoom")
    return tenant


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tls, Path]:
    """A server certificate for 127.0.0.1, and the file of the authority that vouches for it."""
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1", "localhost")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(folder / "key.pem")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    return Tls(certificate=folder / "cert.pem", key=folder / "key.pem"), folder / "ca.pem"


@pytest.fixture
async def server(simulator: Simulator) -> AsyncIterator[SimulatorServer]:
    async with simulator.serving() as server:
        yield server


@pytest.fixture
async def client(
    server: SimulatorServer, simulator: Simulator, contoso: SimulatedTenant
) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in to contoso."""
    headers = {"Authorization": f"Bearer {simulator.token('contoso')}"}
    async with httpx.AsyncClient(base_url=f"{server.origin}/v1.0", headers=headers, trust_env=False) as client:
        yield client
