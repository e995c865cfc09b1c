"""The guard before an application: who is spoken to, where writes may come from, and the headers every answer carries.

- A page of another site can make a browser resolve the site's own name to 127.0.0.1 and then read what is served here ("DNS rebinding"), so
  a request has to name this host: loopback, or the host of `external_url`.
- Such a page can also post here without reading the answer. A browser says where a request comes from (Sec-Fetch-Site, Origin); a write from
  elsewhere is refused. Clients that are no browsers say nothing, and may write.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets requests through to `app`. external_url: how people reach it from elsewhere, null if they do not."""

    def __init__(self, app: ASGIApp, *, external_url: str | None = None) -> None:
        self._app = app
        parts = urlsplit(external_url or "")
        self._host = (parts.hostname or "").lower()
        self._origin = f"{parts.scheme}://{parts.netloc}".lower() if external_url else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the application, or let it answer."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, method: str, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if not self._knows(host):
            told = "this alertd is not reached by that name; external_url in its configuration says which others are right\n"
            return PlainTextResponse(told, 421)
        if method not in _READING and not self._is_ours(headers, host):
            return PlainTextResponse("writes from pages of other sites are refused\n", 403)
        return None

    def _knows(self, host: str) -> bool:
        name = _name_of(host)
        return is_loopback_name(name) or (name != "" and name == self._host)

    def _is_ours(self, headers: Headers, host: str) -> bool:
        site, origin = headers.get("sec-fetch-site", "none"), headers.get("origin")
        if site not in {"same-origin", "none"}:
            return False
        return origin is None or origin.lower() in {f"http://{host.lower()}", f"https://{host.lower()}", self._origin}


def is_loopback_name(name: str) -> bool:
    """Whether a host's name means this machine, whatever anybody's name server says."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
