"""How a tenant's credential is written: one key, which says its kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

import attrs

from alertd.config.context import Context
from alertd.config.kinds import ABSENT, Declared, Guid, Kind, Schema
from alertd.config.paths import FilePath
from alertd.config.secrets import SecretText
from alertd.config.shape import Section, Shape, shape_of
from alertd.graph.credentials import (
    AccessTokenFile,
    Certificate,
    ClientSecret,
    Credential,
    ManagedIdentity,
    WorkloadIdentity,
)
from alertd.model.document import Fields, Node
from alertd.model.secret import Secret

_CERTIFICATE = Shape(
    Certificate,
    {
        "path": FilePath("One PEM or PFX file with both.", secret=True),
        "password": SecretText("The password of the key or the PFX."),
    },
)
_MANAGED_IDENTITY = Shape(
    ManagedIdentity, {"client_id": Guid("Of a user-assigned identity; none: the system-assigned one.")}
)
_WORKLOAD_IDENTITY = Shape(
    WorkloadIdentity,
    {"token_file": FilePath("Where the token is; none: what AZURE_FEDERATED_TOKEN_FILE names.", secret=True)},
)


@attrs.frozen(kw_only=True)
class CredentialEntry:
    """A credential as it is written; exactly one attribute is given."""

    client_secret: Annotated[Secret | None, SecretText("A client secret of the app registration.")] = None
    certificate: Annotated[
        Certificate | None,
        Section("A certificate with its private key, uploaded to the app registration.", build=_CERTIFICATE),
    ] = None
    managed_identity: Annotated[
        ManagedIdentity | None, Section("The identity of the Azure service alertd runs on.", build=_MANAGED_IDENTITY)
    ] = None
    workload_identity: Annotated[
        WorkloadIdentity | None, Section("A federated token that the platform keeps fresh.", build=_WORKLOAD_IDENTITY)
    ] = None
    access_token_file: Annotated[
        Path | None, FilePath("A file that somebody else keeps filled with a valid token for Graph.", secret=True)
    ] = None

    def credential(self) -> Credential:
        """Give the one that is there; something harmless where none is, for a problem has been noted then."""
        if self.client_secret is not None:
            return ClientSecret(secret=self.client_secret)
        if self.access_token_file is not None:
            return AccessTokenFile(path=self.access_token_file)
        return self.certificate or self.managed_identity or self.workload_identity or ManagedIdentity()


_ENTRY = shape_of(CredentialEntry)
_MAY_BE_EMPTY = {"managed_identity": ManagedIdentity(), "workload_identity": WorkloadIdentity()}


@attrs.frozen
class CredentialKind(Kind):
    """Exactly one way of proving who alertd is."""

    expected: ClassVar[str] = f"one of {', '.join(_ENTRY.kinds)}"
    harmless: ClassVar[Any] = ManagedIdentity()

    def read(self, node: Node, context: Context) -> Credential:
        """Give the one that is there."""
        before = len(node.document.problems)
        fields = node.mapping(*_ENTRY.known)
        given = [key for key, kind in _ENTRY.kinds.items() if any(fields[name].given for name in kind.keys(key))]
        if len(given) != 1:
            if len(node.document.problems) == before:
                found = " and ".join(f"`{key}`" for key in given) or "none of them"
                node.problem(found, expected=f"exactly {self.expected}")
            return ManagedIdentity()
        return _ENTRY.make({given[0]: self._value(given[0], fields, context)}).credential()

    def _value(self, key: str, fields: Fields, context: Context) -> Any:
        kind = _ENTRY.kinds[key]
        value = kind.take(key, fields, context)
        if value is ABSENT and key not in _MAY_BE_EMPTY:
            fields[key].problem(expected=kind.expected, cure="give it a value")
        return _MAY_BE_EMPTY.get(key) if value is ABSENT else value

    def schema(self) -> Schema:
        """Allow one key; a secret has two names."""
        return _ENTRY.schema() | {"minProperties": 1, "maxProperties": 1}

    def below(self, path: str) -> Iterator[Declared]:
        """Give the keys."""
        yield from _ENTRY.declared(path)
