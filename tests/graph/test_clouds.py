"""Where each cloud's tokens, Graph and portal are."""

from __future__ import annotations

import pytest

from alertd.graph.clouds import CLOUDS
from alertd.graph.credentials import ManagedIdentity
from alertd.graph.settings import TenantSettings


@pytest.mark.parametrize(
    ("cloud", "authority", "scope"),
    [
        ("global", "https://login.microsoftonline.com", "https://graph.microsoft.com/.default"),
        ("usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us/.default"),
        ("usgov-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us/.default"),
        ("china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn/.default"),
    ],
)
def test_each_cloud_has_its_own_endpoints(cloud: str, authority: str, scope: str) -> None:
    assert (CLOUDS[cloud].authority, CLOUDS[cloud].scope) == (authority, scope)


def test_a_job_url_leads_to_the_provisioning_page() -> None:
    url = CLOUDS["usgov"].job_url("id/with space")

    assert url == (
        "https://entra.microsoft.us/#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/ProvisioningActivity/objectId/id%2Fwith%20space"
    )


def test_own_addresses_stand_in_place_of_the_public_ones() -> None:
    own = TenantSettings(
        name="contoso",
        tenant_id="t",
        credential=ManagedIdentity(),
        graph_url="https://gateway.example.com/graph/",
        authority="https://login.example.com/",
    )

    assert own.base_url == "https://gateway.example.com/graph/v1.0"
    assert own.endpoints.authority == "https://login.example.com"
    assert own.endpoints.scope == "https://graph.microsoft.com/.default"
