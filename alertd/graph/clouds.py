"""Microsoft's clouds: where tokens come from, where Graph answers, where a person looks.

Tokens of one cloud are worth nothing in another. Source: https://learn.microsoft.com/graph/deployments; China's newer login host is the one
MSAL knows, the documentation still names login.chinacloudapi.cn.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from alertd.graph.segments import segment


@attrs.frozen(kw_only=True)
class Cloud:
    """One cloud.

    name: as in the configuration. authority, graph, portal: origins without a path.
    """

    name: str
    authority: str
    graph: str
    portal: str

    @property
    def scope(self) -> str:
        """What a token for Graph is asked for: every application permission that was granted."""
        return f"{self.graph}/.default"

    def job_url(self, service_principal_id: str) -> str:
        """Give the portal page on which a person sees and mends a service principal's provisioning."""
        blade = "#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/ProvisioningActivity/objectId"
        return f"{self.portal}/{blade}/{segment(service_principal_id)}"


CLOUDS: Mapping[str, Cloud] = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            name="global",
            authority="https://login.microsoftonline.com",
            graph="https://graph.microsoft.com",
            portal="https://entra.microsoft.com",
        ),
        Cloud(
            name="usgov",
            authority="https://login.microsoftonline.us",
            graph="https://graph.microsoft.us",
            portal="https://entra.microsoft.us",
        ),
        Cloud(
            name="usgov-dod",
            authority="https://login.microsoftonline.us",
            graph="https://dod-graph.microsoft.us",
            portal="https://entra.microsoft.us",
        ),
        Cloud(
            name="china",
            authority="https://login.partner.microsoftonline.cn",
            graph="https://microsoftgraph.chinacloudapi.cn",
            portal="https://entra.microsoftonline.cn",
        ),
    )
}
