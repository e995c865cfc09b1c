"""A simulated Microsoft behind real TLS, and a clock that jumps instead of waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme

from alertd.graph.credentials import ClientSecret, Credential
from alertd.graph.settings import HttpSettings, TenantSettings
from alertd.graph.tenant import GraphClients, GraphTenant
from alertd.model.secret import Secret
from alertd.simulator.server import SimulatorServer, Tls
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedTenant
from alertd.simulator.timeline import expand, parse_timeline

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@attrs.define
class ManualClock:
    """Sleeping moves it, and is written down."""

    at: datetime = START
    slept: list[float] = attrs.field(factory=list)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A certificate authority that nobody else trusts, and its certificate as a file."""
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return ca, path


@pytest.fixture(scope="session")
def ca_file(authority: tuple[trustme.CA, Path]) -> Path:
    return authority[1]


@pytest.fixture(scope="session")
def tls(authority: tuple[trustme.CA, Path], tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A server certificate for 127.0.0.1 and localhost."""
    folder = tmp_path_factory.mktemp("server")
    certificate = authority[0].issue_cert("127.0.0.1", "localhost")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    return Tls(certificate=folder / "cert.pem", key=folder / "key.pem")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's environment says about proxies and identities is not for these tests."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "MSI_ENDPOINT",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(clock=clock)


@pytest.fixture
def contoso(simulator: Simulator) -> SimulatedTenant:
    """A tenant with three principals: Salesforce with one job, Workday with two, Box with none."""
    tenant = simulator.add_tenant("contoso")
    _add_job(tenant, "Salesforce", "SF.1", "Active")
    _add_job(tenant, "Workday", "WD.1", "Active")
    _add_job(tenant, "Workday", "WD.2", "Quarantine(TooManyDeletes)")
    tenant.add_principal("Box")
    return tenant


AddJob = Callable[..., None]


@pytest.fixture
def add_job() -> AddJob:
    """Add a job with a timeline from START on to a tenant's principal."""
    return _add_job


def _add_job(tenant: SimulatedTenant, principal: str, job_id: str, *steps: object) -> None:
    answers = expand(parse_timeline(steps), start=START, interval=timedelta(minutes=5), job_id=job_id)
    tenant.add_job(principal, job_id, answers, start=START)


@pytest.fixture
async def server(simulator: Simulator, tls: Tls) -> AsyncIterator[SimulatorServer]:
    async with simulator.serving(tls=tls) as server:
        yield server


@pytest.fixture
def settings(ca_file: Path) -> HttpSettings:
    return HttpSettings(ca_file=ca_file, timeout=5.0)


@pytest.fixture
async def clients(settings: HttpSettings, clock: ManualClock) -> AsyncIterator[GraphClients]:
    clients = GraphClients(settings, clock=clock, random=lambda: 0.0)
    yield clients
    await clients.close()


TenantSettingsOf = Callable[..., TenantSettings]


@pytest.fixture
def tenant_settings() -> TenantSettingsOf:
    """Give settings by which a simulated tenant is reached, with its own client secret."""
    return _tenant_settings


def _tenant_settings(tenant: SimulatedTenant, origin: str, **more: Any) -> TenantSettings:
    credential: Credential = ClientSecret(secret=Secret(tenant.secrets[0].text))
    values = {
        "name": tenant.name,
        "tenant_id": tenant.id,
        "client_id": tenant.client_id,
        "credential": credential,
        "graph_url": origin,
        "authority": origin,
    }
    return TenantSettings(**(values | more))


Connect = Callable[..., GraphTenant]


@pytest.fixture
def connect(clients: GraphClients, server: SimulatorServer, contoso: SimulatedTenant) -> Connect:
    """Make the client's side of contoso."""

    def connect(**more: Any) -> GraphTenant:
        return clients.tenant(_tenant_settings(contoso, server.origin, **more))

    return connect


@pytest.fixture
def graph(connect: Connect) -> GraphTenant:
    return connect()


@pytest.fixture
def deadline() -> datetime:
    return START + timedelta(minutes=4, seconds=30)
