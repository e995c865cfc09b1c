"""Microsoft's own Python SDK reads the simulator and cannot tell: typed, over TLS, pages included."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from alertd.simulator.server import SimulatorServer, Tls
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedTenant

pytest.importorskip("msgraph")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the SDK warns of its own parts as it is imported
]


class StaticToken:
    """A credential as azure-core describes one, with a token got beforehand."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(self._token, int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
async def secure(simulator: Simulator, certificate: tuple[Tls, Path]) -> AsyncIterator[SimulatorServer]:
    async with simulator.serving(tls=certificate[0]) as server:
        yield server


@pytest.fixture
async def sdk(
    secure: SimulatorServer, simulator: Simulator, contoso: SimulatedTenant, certificate: tuple[Tls, Path]
) -> AsyncIterator[Any]:
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph_core import GraphClientFactory

    context = ssl.create_default_context(cafile=str(certificate[1]))
    # The SDK puts its middleware around the transport and never closes what is inside.
    async with httpx.AsyncHTTPTransport(verify=context) as transport, httpx.AsyncClient(transport=transport) as client:
        provider = AzureIdentityAuthenticationProvider(
            StaticToken(simulator.token("contoso")),
            allowed_hosts=["127.0.0.1"],  # type: ignore[arg-type]
        )
        adapter = GraphRequestAdapter(provider, GraphClientFactory.create_with_default_middleware(client=client))
        adapter.base_url = f"{secure.origin}/v1.0"
        yield GraphServiceClient(request_adapter=adapter)


async def test_it_reads_service_principals_and_jobs(sdk: Any, contoso: SimulatedTenant, clock: Any) -> None:
    clock.at += 2 * next(iter(contoso.principals.values())).jobs[0].interval

    principals = await sdk.service_principals.get()
    salesforce = next(principal for principal in principals.value if principal.display_name == "Salesforce")
    jobs = await sdk.service_principals.by_service_principal_id(salesforce.id).synchronization.jobs.get()

    assert [principal.display_name for principal in principals.value] == ["Salesforce", "Box", "Zoom"]
    (job,) = jobs.value
    assert (job.id, job.template_id) == ("SF.1", "SF")
    assert job.status.code.value == "Quarantine"
    assert job.status.quarantine.reason.value == "TooManyDeletes"
    assert job.status.quarantine.current_began == clock.at
    assert job.status.count_successive_complete_failures == 1
    assert job.status.last_execution.error.code == "Oops"
    assert job.schedule.interval.total_seconds() == 2400


async def test_it_follows_our_links(sdk: Any) -> None:
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.service_principals.service_principals_request_builder import ServicePrincipalsRequestBuilder
    from msgraph_core.tasks.page_iterator import PageIterator

    options = ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters(
        select=["id", "displayName"], top=1
    )
    first = await sdk.service_principals.get(request_configuration=RequestConfiguration(query_parameters=options))
    names: list[str] = []

    await PageIterator(first, sdk.request_adapter).iterate(lambda principal: not names.append(principal.display_name))

    assert names == ["Salesforce", "Box", "Zoom"]


async def test_it_understands_our_errors(sdk: Any, contoso: SimulatedTenant) -> None:
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    contoso.roles.clear()

    with pytest.raises(ODataError) as caught:
        await sdk.service_principals.get()

    assert caught.value.error is not None
    assert caught.value.error.code == "Authorization_RequestDenied"
    assert caught.value.error.inner_error is not None
    assert caught.value.error.inner_error.request_id is not None
