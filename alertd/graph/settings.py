"""What the Graph adapter needs to know; the configuration fills it in."""

from __future__ import annotations

from pathlib import Path

import attrs

from alertd.graph.clouds import CLOUDS, Cloud
from alertd.graph.credentials import Credential


@attrs.frozen(kw_only=True)
class TenantSettings:
    """One tenant.

    tenant_id: its GUID or a verified domain. client_id: of the app registration; null only for a managed identity or an access token file.
    graph_url: in place of the cloud's Graph, may carry a path; ``/v1.0`` is appended. authority: in place of the cloud's.
    include, exclude: globs on displayName, or object ids, of the service principals to watch; an exclusion wins. Case does not matter.
    """

    name: str
    tenant_id: str
    client_id: str | None = None
    credential: Credential
    cloud: str = "global"
    graph_url: str | None = None
    authority: str | None = None
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()

    @property
    def endpoints(self) -> Cloud:
        """The cloud, with this tenant's own addresses in place of the public ones."""
        cloud = CLOUDS[self.cloud]
        return attrs.evolve(cloud, authority=(self.authority or cloud.authority).rstrip("/"))

    @property
    def base_url(self) -> str:
        """The root that Graph's paths are appended to."""
        return f"{(self.graph_url or CLOUDS[self.cloud].graph).rstrip('/')}/v1.0"


@attrs.frozen(kw_only=True)
class HttpSettings:
    """How the wire is used.

    proxy: for Graph and the authority; null means what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say. ca_file: trusted beside the system's store.
    timeout: seconds for one attempt. concurrency: batches in flight per tenant. requests_per_minute: how many requests a tenant is sent at
    most, parts of a batch counted one by one; null means as many as are needed.
    """

    proxy: str | None = attrs.field(default=None, repr=False)  # may hold a password
    ca_file: Path | None = None
    timeout: float = 30.0
    concurrency: int = 6
    requests_per_minute: int | None = None
