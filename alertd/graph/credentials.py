"""How alertd proves who it is: one value per kind of credential, none of which prints a secret."""

from __future__ import annotations

from pathlib import Path

import attrs

from alertd.model.secret import Secret


@attrs.frozen(kw_only=True)
class ClientSecret:
    """A client secret of the app registration; a file is read anew for every token, so that it can be rotated."""

    secret: Secret


@attrs.frozen(kw_only=True)
class Certificate:
    """A certificate with its private key, in one PEM or PFX file; the file is read anew for every token.

    password: of the key or the PFX; null where there is none.
    """

    path: Path
    password: Secret | None = None


@attrs.frozen(kw_only=True)
class ManagedIdentity:
    """The identity of the Azure machine or service alertd runs on: only that service's own tenant can be watched.

    client_id: of a user-assigned identity; null means the system-assigned one.
    """

    client_id: str | None = None


@attrs.frozen(kw_only=True)
class WorkloadIdentity:
    """A federated token that the platform projects into a file and renews there.

    token_file: null means what AZURE_FEDERATED_TOKEN_FILE names, as Azure Kubernetes Service sets it.
    """

    token_file: Path | None = None


@attrs.frozen(kw_only=True)
class AccessTokenFile:
    """A file that somebody else keeps filled with a valid access token for Graph."""

    path: Path


Credential = ClientSecret | Certificate | ManagedIdentity | WorkloadIdentity | AccessTokenFile
