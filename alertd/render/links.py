"""Links in messages: only https, only to Microsoft's own sites and to ours.

A link's text may come from Graph, and what comes from Graph may be chosen by others.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import attrs

# Sites that Microsoft alone can publish under. Not whole azure.com, windows.net or azurewebsites.net: customers have names there.
_HOSTS = frozenset(
    {
        "aka.ms",
        "portal.azure.com",
        "portal.azure.us",
        "portal.azure.cn",
        "entra.microsoftonline.cn",
    }
)
_SUFFIXES = (".microsoft.com", ".microsoft.us", ".microsoftonline.com", ".microsoftonline.us", ".microsoftazure.us")
_ODD = re.compile(r"[\s\\<>\"'`{}|^\x00-\x20\x7f-\U0010ffff]")
_LONGEST = 2_000


@attrs.frozen(kw_only=True)
class Links:
    """Where a message points; null where there is no such place, or it is not a place we send people to.

    job: its provisioning page in the portal. troubleshooting: Graph's own `troubleshootingUrl`.
    documentation: about what is wrong. alertd: our own pages.
    """

    job: str | None = None
    troubleshooting: str | None = None
    documentation: str | None = None
    alertd: str | None = None


def safe_link(url: str | None, own: str | None = None) -> str | None:
    """Give the URL if a message may carry it: https to Microsoft, or anything below our own `external_url`."""
    if not url or len(url) > _LONGEST or _ODD.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if own is not None and _below(url, own):
        return url
    official = parts.scheme == "https" and "@" not in parts.netloc and port in {None, 443}
    return url if official and _is_microsoft(parts.hostname or "") else None


def _is_microsoft(host: str) -> bool:
    return host in _HOSTS or host.endswith(_SUFFIXES)


def _below(url: str, own: str) -> bool:
    base = own.rstrip("/")
    return url.startswith(("https://", "http://")) and (
        url == base or url.startswith((f"{base}/", f"{base}?", f"{base}#"))
    )
