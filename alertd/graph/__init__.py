"""The only place that speaks to Microsoft: clouds, tokens, requests, and the reading of their answers."""

from __future__ import annotations

from alertd.graph.clouds import CLOUDS, Cloud
from alertd.graph.credentials import (
    AccessTokenFile,
    Certificate,
    ClientSecret,
    Credential,
    ManagedIdentity,
    WorkloadIdentity,
)
from alertd.graph.settings import HttpSettings, TenantSettings

__all__ = [
    "CLOUDS",
    "AccessTokenFile",
    "Certificate",
    "ClientSecret",
    "Cloud",
    "Credential",
    "HttpSettings",
    "ManagedIdentity",
    "TenantSettings",
    "WorkloadIdentity",
]
