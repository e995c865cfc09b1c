"""Which service principals a tenant has, and which of them are watched."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from datetime import datetime

import attrs
import msgspec

from alertd.errors import PollError, PollErrorKind
from alertd.graph.answers import Place
from alertd.graph.client import GraphClient
from alertd.graph.cures import CURES
from alertd.model.reading import Failed
from alertd.model.resources import ServicePrincipal

_PATH = (
    "/servicePrincipals?$select=id,appId,displayName,accountEnabled,servicePrincipalType,applicationTemplateId&$top=999"
)
_decoder = msgspec.json.Decoder(ServicePrincipal)


@attrs.frozen(kw_only=True)
class Discovery:
    """What a tenant listed.

    principals: those to watch. not_watched: those that the configuration leaves out.
    complete: every page was read, so what is not listed is not there. error: why it is not complete.
    """

    principals: tuple[ServicePrincipal, ...] = ()
    not_watched: tuple[ServicePrincipal, ...] = ()
    complete: bool = True
    error: Failed | None = None


@attrs.frozen
class Selection:
    """Which service principals are watched: those that a pattern includes and none excludes.

    A pattern is a glob on displayName, or an object id; case does not matter.
    """

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()

    def watches(self, principal: ServicePrincipal) -> bool:
        """Tell whether this one is watched."""
        return _matches(principal, self.include) and not _matches(principal, self.exclude)


def _matches(principal: ServicePrincipal, patterns: Iterable[str]) -> bool:
    name, identifier = (principal.displayName or "").lower(), principal.id.lower()
    return any(identifier == pattern.lower() or fnmatch.fnmatchcase(name, pattern.lower()) for pattern in patterns)


async def discover(client: GraphClient, selection: Selection, *, deadline: datetime) -> Discovery:
    """List all service principals; never raises PollError: what was read before a failure is kept, and `error` says the rest."""
    found: dict[str, ServicePrincipal] = {}
    error: Failed | None = None
    try:
        async for page in client.pages(_PATH, place=Place.DIRECTORY, deadline=deadline):
            for raw in page.value:
                principal = _read(raw)
                if isinstance(principal, Failed):
                    error = principal
                else:
                    found[principal.id] = principal
    except PollError as exc:
        error = Failed(kind=exc.kind, message=str(exc), cure=exc.cure)
    watched = {key for key, principal in found.items() if selection.watches(principal)}
    return Discovery(
        principals=tuple(principal for key, principal in found.items() if key in watched),
        not_watched=tuple(principal for key, principal in found.items() if key not in watched),
        complete=error is None,
        error=error,
    )


def _read(raw: msgspec.Raw) -> ServicePrincipal | Failed:
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        message = f"a service principal that cannot be read: {exc}"
        return Failed(kind=PollErrorKind.MALFORMED, message=message, cure=CURES[PollErrorKind.MALFORMED])
