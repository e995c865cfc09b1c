"""Tenants: who is watched, and as whom. They stand in `tenants`, in the files of `tenants_files`, or both; `tenant_defaults` fills the gaps.

What a tenant says wins over `tenant_defaults` key by key; labels are joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import attrs

from alertd.config.context import Context
from alertd.config.credential import CredentialKind
from alertd.config.kinds import GUID, Boolean, Choice, Declared, Guid, Kind, Schema, Text
from alertd.config.paths import Files
from alertd.config.route import LABEL
from alertd.config.secrets import Url
from alertd.config.shape import ListOf, Section, Shape, shape_of
from alertd.graph.clouds import CLOUDS
from alertd.graph.credentials import AccessTokenFile, Credential, ManagedIdentity
from alertd.graph.settings import TenantSettings
from alertd.model.document import Document, Fields, Node
from alertd.rules.loader import RESERVED_LABELS

Seen = dict[tuple[str, str], Node]  # by key and value


@attrs.frozen(kw_only=True)
class Tenant:
    """One watched tenant. labels: added to those of its alerts."""

    settings: TenantSettings
    labels: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def name(self) -> str:
        """What the configuration calls it, label `tenant`."""
        return self.settings.name

    @property
    def key(self) -> str:
        """What it is, whatever it is called: ``cloud/tenant id``."""
        return f"{self.settings.cloud}/{self.settings.tenant_id}"


@attrs.frozen
class TenantId(Kind):
    """The directory's id, or one of its verified domains; in lower case, so that two spellings are one tenant."""

    expected: ClassVar[str] = "a tenant id such as 11111111-1111-1111-1111-111111111111, or a verified domain"
    harmless: ClassVar[Any] = ""

    def read(self, node: Node, context: Context) -> str:
        """Give it in lower case."""
        text = node.text("").strip()
        known = re.fullmatch(rf"{GUID}|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", text) or context.unresolved(text)
        if not known and node.scalar:
            node.problem(expected=self.expected, cure="the overview page in the Entra admin center shows it")
        return text.lower()

    def schema(self) -> Schema:
        """Say that it is a string."""
        return {"type": "string", "minLength": 1}


@attrs.frozen
class Labels(Kind):
    """Labels by name; alertd's own cannot be set."""

    expected: ClassVar[str] = "a mapping of names to texts"
    harmless: ClassVar[Any] = {}

    def read(self, node: Node, context: Context) -> dict[str, str]:  # noqa: ARG002 - the same for every kind
        """Give the labels in order."""
        return {name: self._value(name, entry) for name, entry in node.entries()}

    def _value(self, name: str, node: Node) -> str:
        if name in RESERVED_LABELS:
            node.problem(f"label `{name}`", expected="a label that alertd does not set itself")
        elif re.fullmatch(LABEL, name) is None:
            node.problem(f"label `{name}`", expected="letters, digits and _, not beginning with a digit")
        return node.text("")

    def schema(self) -> Schema:
        """Allow any name."""
        return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}


_PATTERN = Text(says="a glob such as Workday*, or an object id")


@attrs.frozen(kw_only=True)
class ServicePrincipals:
    """Which service principals are watched: globs on the display name, or object ids. Case does not matter; an exclusion wins."""

    include: Annotated[tuple[str, ...], ListOf("Watched.", kind=_PATTERN)] = ("*",)
    exclude: Annotated[tuple[str, ...], ListOf("Not watched all the same.", kind=_PATTERN)] = ()


@attrs.frozen(kw_only=True)
class TenantEntry:
    """A tenant as it is written."""

    name: Annotated[
        str,
        Text(
            "What it is called, in messages and as label `tenant`; unique.",
            pattern=r"[^\s/](?:[^/\r\n]*[^\s/])?",
            says="a name without a slash",
        ),
    ]
    tenant_id: Annotated[str, TenantId("The directory's id, or a verified domain.")]
    client_id: Annotated[
        str | None, Guid("The application (client) id; not needed with managed_identity and access_token_file.")
    ] = None
    credential: Annotated[Credential, CredentialKind("How alertd proves who it is; exactly one kind.")]
    cloud: Annotated[str, Choice("Which of Microsoft's clouds it is in.", tuple(CLOUDS))] = "global"
    graph_url: Annotated[
        str | None, Url("Another Graph than the cloud's own; it may carry a path, /v1.0 is appended.")
    ] = None
    authority: Annotated[str | None, Url("Another token authority than the cloud's own.")] = None
    service_principals: Annotated[
        ServicePrincipals, Section("Which service principals are watched.", build=ServicePrincipals)
    ] = ServicePrincipals()
    labels: Annotated[Mapping[str, str], Labels("Labels for all its alerts.")] = attrs.field(factory=dict)
    allow_http: Annotated[bool, Boolean("Plain http:// is meant in graph_url and authority.")] = False

    def tenant(self) -> Tenant:
        """Give the value that the rest of alertd works with."""
        settings = TenantSettings(
            name=self.name,
            tenant_id=self.tenant_id,
            client_id=self.client_id,
            credential=self.credential,
            cloud=self.cloud,
            graph_url=self.graph_url,
            authority=self.authority,
            include=self.service_principals.include,
            exclude=self.service_principals.exclude,
        )
        return Tenant(settings=settings, labels=self.labels)


_ENTRY = shape_of(TenantEntry)
_DEFAULTS = Shape(TenantEntry, {key: kind for key, kind in _ENTRY.kinds.items() if key not in {"name", "tenant_id"}})
_KEYLESS = (ManagedIdentity, AccessTokenFile)  # credentials that name the application themselves


@attrs.frozen
class Tenants(Kind):
    """All three keys about tenants together, since they only make sense together."""

    harmless: ClassVar[Any] = ()

    def keys(self, name: str) -> tuple[str, ...]:
        """Give the three keys."""
        return ("tenant_defaults", "tenants_files", name)

    def read(self, node: Node, context: Context) -> tuple[Tenant, ...]:
        """Read one list of tenants, without defaults."""
        return tuple(self._tenant(entry, context, {}) for entry in node.sequence())

    def take(self, name: str, fields: Fields, context: Context) -> tuple[Tenant, ...]:
        """Read the tenants of this file and of the files it names."""
        defaults = self._defaults(fields["tenant_defaults"], context)
        seen: Seen = {}
        tenants = [self._tenant(entry, context, defaults, seen) for entry in fields[name].sequence()]
        for files in ListOf(kind=Files()).read(fields["tenants_files"], context):
            for path in files:
                tenants += self._of_file(path, fields.node.document, context, defaults, seen)
        return tuple(tenants)

    def _defaults(self, node: Node, context: Context) -> dict[str, Any]:
        return {} if node.null else _DEFAULTS.partial(node.mapping(*_DEFAULTS.known), context)

    def _of_file(
        self, path: Path, main: Document, context: Context, defaults: Mapping[str, Any], seen: Seen
    ) -> list[Tenant]:
        document = Document.load(path, file=context.shown(path), fill=context.environment)
        inner = Context.of_file(path, context.environment, context.secrets)
        tenants = [self._tenant(entry, inner, defaults, seen) for entry in document.root.sequence()]
        main.problems += document.problems
        return tenants

    def _tenant(self, node: Node, context: Context, defaults: Mapping[str, Any], seen: Seen | None = None) -> Tenant:
        fields = node.mapping(*_ENTRY.known)
        if node.found != "a mapping":
            if node.null:
                node.problem("nothing", expected="a tenant")
            return _ENTRY.make({}).tenant()
        own = _ENTRY.partial(fields, context)
        values = {**defaults, **own}
        values["labels"] = {**defaults.get("labels", {}), **own.get("labels", {})}
        _ENTRY.require(values, fields)
        _check_client_id(values, fields)
        tenant = _ENTRY.make(values).tenant()
        if seen is not None:
            _check_unique(tenant, fields, seen)
        return tenant

    def schema(self) -> Schema:
        """Say what a list of tenants is."""
        entry = _ENTRY.schema()
        return {"type": "array", "items": entry | {"required": ["name", "tenant_id"]}}

    def properties(self, name: str) -> dict[str, Schema]:
        """Say the three keys."""
        defaults = _DEFAULTS.schema()
        defaults.pop("required", None)
        files = ListOf(kind=Files()).schema()
        return {
            "tenant_defaults": defaults | {"description": _DOCS["tenant_defaults"]},
            "tenants_files": files | {"description": _DOCS["tenants_files"]},
            name: self.schema() | {"description": self.doc},
        }

    def declared(self, path: str, default: Any) -> Iterator[Declared]:
        """Give the three keys and what a tenant holds."""
        yield Declared("tenant_defaults", _DOCS["tenant_defaults"], None)
        yield Declared("tenants_files", _DOCS["tenants_files"], ())
        yield Declared(path, self.doc, default)
        yield from _ENTRY.declared(f"{path}[]")


_DOCS = {
    "tenant_defaults": "What every tenant has that does not say otherwise: any key of a tenant but name and tenant_id.",
    "tenants_files": "Files or globs; each file is a list of tenants, with paths relative to itself.",
}


def _check_client_id(values: Mapping[str, Any], fields: Fields) -> None:
    """Note a credential that needs an application's id beside it."""
    if values.get("client_id") is None and not isinstance(values.get("credential", ManagedIdentity()), _KEYLESS):
        cure = "add `client_id` here or in tenant_defaults"
        fields["client_id"].problem("nothing", expected="the application (client) id", cure=cure)


def _check_unique(tenant: Tenant, fields: Fields, seen: Seen) -> None:
    """Note a second tenant of a name, or of an id in a cloud: each would answer for the other's jobs."""
    in_cloud = f"tenant_id `{tenant.settings.tenant_id}` in cloud {tenant.settings.cloud}"
    for key, value, words in (("name", tenant.name, f"name `{tenant.name}`"), ("tenant_id", tenant.key, in_cloud)):
        node = fields[key]
        first = seen.setdefault((key, value), node) if not node.null else node
        if first is not node:
            where = f"the first stands at {first.document.file}:{first.line}"
            node.problem(f"{words} a second time", expected="each tenant once", cure=where)
