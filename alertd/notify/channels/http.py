"""HTTP to receivers: one request, one answer, and never a word of the URL in an error.

The URL goes out as it was configured, since its signature covers its spelling. Redirects are not followed, cookies not
kept, connections not reused (a kept one may be dead, and then nobody knows whether the message arrived). Everything that
can go wrong is a DeliveryError that says whether the body had gone out.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import attrs
import httpx

from alertd.errors import AlertdError, DeliveryError, DeliveryFailureReason
from alertd.notify.channels.answers import Answer
from alertd.redaction import redact
from alertd.render.hostile import plain

TIMEOUT = timedelta(seconds=30)
_ANSWER_MAX = 64_000  # bytes read of an answer; all that is wanted of it is an error's text
_FAULT_MAX = 200

Trust = Callable[[], ssl.SSLContext]


@attrs.define
class _Progress:
    """How far a request has come. sent: the whole body went out, so the receiver may have taken it."""

    method: bytes = b""
    sent: bool = False

    async def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Follow httpcore's events; the CONNECT to a proxy is a request too, and is not ours."""
        if event == "http11.send_request_body.started":
            self.method = getattr(info.get("request"), "method", b"")
        self.sent = self.sent or (event == "http11.send_request_body.complete" and self.method != b"CONNECT")


class ReceiverHttp:
    """Requests to receivers, through one client.

    trust: makes the TLS context, at the first request. proxy: null means what the environment says.
    timeout: of an attempt as a whole.
    """

    def __init__(self, *, trust: Trust, proxy: str | None = None, timeout: timedelta = TIMEOUT) -> None:
        self._trust = trust
        self._proxy = proxy
        self._timeout = timeout.total_seconds()
        self._made: httpx.AsyncClient | None = None
        self._context: ssl.SSLContext | None = None

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """Give the TLS context, which mail servers are met with too. Raises ConfigError."""
        if self._context is None:
            self._context = self._trust()
        return self._context

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, who: str) -> Answer:
        """POST these bytes. who: names the receiver in errors. Raises DeliveryError when no answer came."""
        return await self._request("POST", url, body, headers, who)

    async def reach(self, url: str, *, who: str) -> Answer:
        """Ask the URL's host for nothing, to see that it can be reached; path and query stay here.

        Raises DeliveryError.
        """
        return await self._request("HEAD", f"{_origin(url, who)}/", b"", {}, who)

    async def close(self) -> None:
        """Close the client; the next request opens another."""
        if self._made is not None:
            await self._made.aclose()
            self._made = None

    async def _request(self, method: str, url: str, body: bytes, headers: Mapping[str, str], who: str) -> Answer:
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._answer(method, url, body, headers, progress)
        except TimeoutError as exc:
            raise _timed_out(who, progress) from exc
        except Exception as exc:  # noqa: BLE001 - whatever it is, it must not leave with the URL in its text
            raise _failure(exc, who, progress) from None

    async def _answer(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], progress: _Progress
    ) -> Answer:
        request = self._client.build_request(
            method, url, content=body, headers=dict(headers), extensions={"trace": progress.trace}
        )
        response = await self._client.send(request, stream=True)
        try:
            text = await _beginning(response)
        finally:
            await response.aclose()
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=lowered, text=text)

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._made is None:
            self._made = httpx.AsyncClient(
                verify=self.ssl_context,
                proxy=self._proxy,
                timeout=self._timeout,
                follow_redirects=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                limits=httpx.Limits(max_connections=50, max_keepalive_connections=0),
                headers={"User-Agent": "alertd"},
            )
        return self._made


async def _beginning(response: httpx.Response) -> str:
    """Read what is wanted of the body; an answer that breaks off has been given all the same."""
    read = b""
    try:
        async for chunk in response.aiter_raw():
            read += chunk
            if len(read) >= _ANSWER_MAX:
                break
    except httpx.HTTPError:
        pass
    return read[:_ANSWER_MAX].decode("utf-8", "replace")


def _timed_out(who: str, progress: _Progress) -> DeliveryError:
    when = "no answer in time, though the message went out" if progress.sent else "no connection in time"
    return DeliveryError(DeliveryFailureReason.TIMEOUT, f"{who}: {when}", retriable=True, ambiguous=progress.sent)


def _failure(exc: Exception, who: str, progress: _Progress) -> DeliveryError:
    if isinstance(exc, httpx.TimeoutException):
        return _timed_out(who, progress)
    if isinstance(exc, httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError):
        return unusable_url(who, type(exc).__name__)
    if isinstance(exc, httpx.LocalProtocolError):
        return DeliveryError(DeliveryFailureReason.CLIENT_ERROR, f"{who}: {_fault(exc)}", retriable=False)
    network = isinstance(exc, httpx.TransportError | OSError)
    reason = DeliveryFailureReason.NETWORK if network else DeliveryFailureReason.OTHER
    after = ", after the message went out" if progress.sent else ""
    return DeliveryError(reason, f"{who}: {_fault(exc)}{after}", retriable=True, ambiguous=progress.sent)


def _fault(exc: Exception) -> str:
    """Say what happened, without any URL: our own errors know what they may say, others are redacted."""
    text = str(exc) if isinstance(exc, AlertdError) else redact(str(exc))
    return plain(f"{type(exc).__name__}: {text}" if text else type(exc).__name__, _FAULT_MAX)


def _origin(url: str, who: str) -> str:
    """Give scheme, host and port alone."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError as exc:
        raise unusable_url(who, type(exc).__name__) from None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def unusable_url(who: str, why: str) -> DeliveryError:
    """Make the error of a URL that will never do."""
    return DeliveryError(DeliveryFailureReason.CLIENT_ERROR, f"{who}: its URL cannot be used: {why}", retriable=False)


def demand_https(url: str, *, allow_http: bool, who: str) -> None:
    """Refuse plain http:// unless the host is this machine or the operator allowed it. Raises DeliveryError.

    The configuration says so already of URLs that it can see; one in a file is seen first here.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise unusable_url(who, "it is none") from None
    if parts.scheme == "http" and not (allow_http or _is_loopback(host)):
        raise unusable_url(who, "plain http:// would show the message and the URL to everybody on the way")
    if parts.scheme not in {"http", "https"} or not host:
        raise unusable_url(who, "it does not begin with https:// and a host")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
