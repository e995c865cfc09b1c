"""Pages of a collection, and the links between them: opaque, followed as they are, and never to another host."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

import msgspec

from alertd.graph.answers import malformed

PAGES_MAX = 10_000  # a tenant of ten million service principals


class Page(msgspec.Struct, rename={"next_link": "@odata.nextLink"}):
    """One page: its entries unread, and the link to the next one."""

    value: list[msgspec.Raw]
    next_link: str | None = None


_page = msgspec.json.Decoder(Page)


def decode_page(body: bytes | msgspec.Raw) -> Page:
    """Read a page; raises GraphError (malformed) when it is none."""
    try:
        return _page.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise malformed(f"the answer is no page of a collection: {exc}") from exc


def check_link(link: str, base_url: str, seen: set[str]) -> None:
    """Refuse a link to another origin, which would get our token, and one that leads in a circle; note the others.

    Raises GraphError (malformed).
    """
    if link in seen:
        raise malformed("the pages of the answer lead in a circle")
    if len(seen) >= PAGES_MAX:
        raise malformed(f"the answer has more than {PAGES_MAX:,} pages")
    if not link.isascii() or not link.isprintable() or any(character in link for character in ' \\"<>'):
        raise malformed("the link to the next page is no URL")
    if _origin(urlsplit(link)) != _origin(urlsplit(base_url)):
        raise malformed(
            f"the link to the next page leads to another host ({urlsplit(link).netloc[:100]}); it was not followed"
        )
    seen.add(link)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None, str | None]:
    try:
        port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    except ValueError:
        port = None
    return url.scheme, url.hostname, port, url.username
