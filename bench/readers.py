"""Who reads the same jobs with one request for each service principal: Microsoft's own SDK, and a script on httpx."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from typing import Any

import attrs
import httpx

from bench.bodies import principal_id
from bench.pollers import TOKEN


@attrs.define
class HttpxScript:
    """A script: stock httpx, one GET after the other, JSON decoded, nothing compared."""

    origin: str
    jobs: int
    _client: httpx.AsyncClient | None = None

    async def prepare(self) -> None:
        """Open the connections."""
        self._client = httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False)

    async def turn(self) -> int:
        """Read everything once."""
        assert self._client is not None  # noqa: S101 - prepared first
        read = 0
        for path in _paths(self.jobs):
            answer = await self._client.get(f"{self.origin}/v1.0{path}")
            read += len(answer.json()["value"])
        return read

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()


@attrs.define
class OfficialSdk:
    """msgraph-sdk, typed, one request after the other, nothing compared."""

    origin: str
    jobs: int
    _client: Any = None

    async def prepare(self) -> None:
        """Make the client as its documentation says, for another base URL."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK warns of its own parts as it is imported
            from kiota_authentication_azure.azure_identity_authentication_provider import (
                AzureIdentityAuthenticationProvider,
            )
            from msgraph.graph_request_adapter import GraphRequestAdapter
            from msgraph.graph_service_client import GraphServiceClient
            from msgraph_core import GraphClientFactory
        transport = httpx.AsyncClient(trust_env=False)
        provider = AzureIdentityAuthenticationProvider(_StaticToken(), allowed_hosts=["127.0.0.1"])  # type: ignore[arg-type]
        adapter = GraphRequestAdapter(provider, GraphClientFactory.create_with_default_middleware(client=transport))
        adapter.base_url = f"{self.origin}/v1.0"
        self._client = GraphServiceClient(request_adapter=adapter)

    async def turn(self) -> int:
        """Read everything once."""
        read = 0
        for number in range(self.jobs):
            principal = self._client.service_principals.by_service_principal_id(principal_id(number))
            answer = await principal.synchronization.jobs.get()
            read += len(answer.value)
        return read

    async def close(self) -> None:
        """The process ends; the SDK offers nothing to close."""


class _StaticToken:
    """A credential as azure-core describes one, with a token got beforehand."""

    async def get_token(self, *_scopes: str, **_options: object) -> Any:  # noqa: ANN401 - azure's own
        from azure.core.credentials import AccessToken

        return AccessToken(TOKEN, int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing to close."""


def _paths(jobs: int) -> Iterator[str]:
    for number in range(jobs):
        yield f"/servicePrincipals/{principal_id(number)}/synchronization/jobs"
