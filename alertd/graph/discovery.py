"""Which service principals a tenant has, and which of them are watched."""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncGenerator, Iterable, Iterator
from datetime import datetime

import attrs
import msgspec

from alertd.errors import PollError, PollErrorKind
from alertd.graph.answers import Place
from alertd.graph.client import GraphClient
from alertd.graph.cures import CURES
from alertd.graph.paging import Page
from alertd.model.reading import Failed
from alertd.model.resources import ServicePrincipal

_PATH = (
    "/servicePrincipals?$select=id,appId,displayName,accountEnabled,servicePrincipalType,applicationTemplateId&$top=999"
)
_decoder = msgspec.json.Decoder(ServicePrincipal)


@attrs.frozen(kw_only=True)
class Discovery:
    """What a tenant listed, or a part of that.

    principals: those to watch. not_watched: those that the configuration leaves out.
    complete: every page was read, so what is not listed is not there. error: why it is not complete.
    """

    principals: tuple[ServicePrincipal, ...] = ()
    not_watched: tuple[ServicePrincipal, ...] = ()
    complete: bool = True
    error: Failed | None = None

    def __add__(self, other: Discovery) -> Discovery:
        """Join two parts; of one that is listed twice the later entry counts."""
        found = {one.id: (one, watched) for part in (self, other) for one, watched in part.entries()}
        return Discovery(
            principals=tuple(one for one, watched in found.values() if watched),
            not_watched=tuple(one for one, watched in found.values() if not watched),
            complete=self.complete and other.complete,
            error=other.error or self.error,
        )

    def entries(self) -> Iterator[tuple[ServicePrincipal, bool]]:
        """Give all of them, each with whether it is to be watched."""
        yield from ((one, True) for one in self.principals)
        yield from ((one, False) for one in self.not_watched)


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


async def discover(client: GraphClient, selection: Selection, *, deadline: datetime) -> AsyncGenerator[Discovery, None]:
    """List all service principals page by page; never raises PollError: the part that a failure ends says why it is not complete."""
    try:
        async for page in client.pages(_PATH, place=Place.DIRECTORY, deadline=deadline):
            yield _part(page, selection)
    except PollError as exc:
        yield Discovery(complete=False, error=Failed(kind=exc.kind, message=str(exc), cure=exc.cure))


def _part(page: Page, selection: Selection) -> Discovery:
    entries = [_read(raw) for raw in page.value]
    found = [entry for entry in entries if isinstance(entry, ServicePrincipal)]
    faults = [entry for entry in entries if isinstance(entry, Failed)]
    return Discovery(
        principals=tuple(one for one in found if selection.watches(one)),
        not_watched=tuple(one for one in found if not selection.watches(one)),
        complete=not faults,
        error=faults[-1] if faults else None,
    )


def _read(raw: msgspec.Raw) -> ServicePrincipal | Failed:
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        message = f"a service principal that cannot be read: {exc}"
        return Failed(kind=PollErrorKind.MALFORMED, message=message, cure=CURES[PollErrorKind.MALFORMED])
