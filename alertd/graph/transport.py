"""One HTTP attempt: sent once, bounded in time and size, answered with a `Reply` or NoAnswer.

httpx stands in front of aiohttp's connections, which serve fifty requests in flight at a twentieth of the cost of httpx's own pool. What
has to be minded there, as tried with httpx-aiohttp 0.2.0:
- it hands the URL to aiohttp as text, which quotes it anew and so breaks an opaque nextLink: our session passes it on as it is;
- it reports nearly every failure as ConnectTimeout: what really happened is the exception's cause;
- it takes no proxy from the environment, and aiohttp's own way of doing so reads .netrc for each request and refuses our Authorization
  header when it finds a line there: the proxy of the one host we speak to is looked up once, here;
- cookies would be kept twice, by aiohttp and by httpx: both are told not to;
- its time limits do not bound a whole attempt: `asyncio.timeout` does.
"""

from __future__ import annotations

import asyncio
import ssl
import urllib.request
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import attrs
import httpx
import httpx_aiohttp
import yarl

from alertd.errors import ConfigError, PollError, PollErrorKind
from alertd.graph.settings import HttpSettings
from alertd.graph.trust import make_ssl_context

BODY_MAX = 32 * 1024 * 1024  # bytes; a batch of 20 answers with 50 jobs each of 10 kB has 10 MB
_HEADER_LINE_MAX = 64 * 1024  # bytes; a claims challenge does not fit aiohttp's 8 kB
_CONNECTIONS_MAX = 100


class NoAnswer(PollError):  # noqa: N818 - reads as what it is in `raise`
    """An attempt that brought no answer. retriable: another one may."""

    @property
    def retriable(self) -> bool:
        """Whether another attempt may bring one."""
        return self.kind in {PollErrorKind.NETWORK, PollErrorKind.TIMEOUT}


@attrs.frozen(kw_only=True)
class Reply:
    """What came back. headers: case-insensitive. body: as sent by the server, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)


class Transport:
    """The connections to one origin; used by every tenant of a cloud, closed by whoever made it."""

    def __init__(self, base_url: str, settings: HttpSettings) -> None:
        self._base_url = base_url
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None, timeout_seconds: float
    ) -> Reply:
        """Send once. Raises NoAnswer (network, timeout, malformed) when there is none; redirects are answers."""
        try:
            client = self._opened()
            async with asyncio.timeout(timeout_seconds):
                return await _exchange(client, client.build_request(method, url, headers=headers, content=content))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as exc:
            raise no_answer(exc, url, timeout_seconds) from exc
        except ConfigError as exc:
            raise NoAnswer(PollErrorKind.NETWORK, str(exc), cure=exc.problems[0].cure) from exc

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
        if self._session is not None:
            await self._session.close()
        self._client = self._session = None

    def _opened(self) -> httpx.AsyncClient:
        """Open at first use: a session belongs to the running loop."""
        if self._client is None:
            context = make_ssl_context(self._settings.ca_file)
            self._session = _open_session(context)
            session: Any = _Verbatim(self._session, find_proxy(self._base_url, self._settings.proxy))
            self._client = httpx.AsyncClient(
                transport=httpx_aiohttp.AiohttpTransport(verify=context, client=session),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                timeout=None,  # noqa: S113 - `send` bounds the whole attempt
                trust_env=False,
            )
        return self._client


@attrs.frozen
class Proxy:
    """Where requests go through; its user and password stand in the headers, for aiohttp would warn about them in the URL."""

    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)


class _Verbatim:
    """An aiohttp session that sends a URL as it was written, through our proxy; the transport calls it to get a session."""

    def __init__(self, session: aiohttp.ClientSession, proxy: Proxy | None) -> None:
        self._session = session
        self._proxy = {"proxy": proxy.url, "proxy_headers": proxy.headers} if proxy else {}

    def __call__(self) -> _Verbatim:
        return self

    def request(self, *, url: str, **arguments: Any) -> Any:  # noqa: ANN401 - aiohttp's own
        return self._session.request(url=yarl.URL(url, encoded=True), **(arguments | self._proxy))


def _open_session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=_CONNECTIONS_MAX),
        cookie_jar=aiohttp.DummyCookieJar(),
        max_line_size=_HEADER_LINE_MAX,
        max_field_size=_HEADER_LINE_MAX,
    )


def find_proxy(url: str, configured: str | None) -> Proxy | None:
    """Give the proxy for a URL: the configured one, else what the environment says for its host."""
    if configured is not None:
        return _proxy(configured)
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(parts.netloc):
        return None
    return _proxy(proxy)


def _proxy(url: str) -> Proxy:
    proxy = httpx.Proxy(url if "://" in url else f"http://{url}")
    headers = {"Proxy-Authorization": aiohttp.encode_basic_auth(*proxy.auth)} if proxy.auth else {}
    return Proxy(str(proxy.url), headers)


async def _exchange(client: httpx.AsyncClient, request: httpx.Request) -> Reply:
    response = await client.send(request, stream=True)
    try:
        return Reply(status=response.status_code, headers=response.headers, body=await _read(response))
    finally:
        await response.aclose()


async def _read(response: httpx.Response) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > BODY_MAX:
            raise NoAnswer(
                PollErrorKind.MALFORMED,
                f"an answer of more than {BODY_MAX // 1024 // 1024} MB",
                cure="check that graph_url names Microsoft Graph and nothing else answers in its place",
            )
        chunks.append(chunk)
    return b"".join(chunks)


def no_answer(exc: BaseException, url: str, timeout_seconds: float) -> NoAnswer:
    """Say what a failed attempt was; the truth is at the end of the chain of causes."""
    host = urlsplit(url).netloc
    while exc.__cause__ is not None and not isinstance(exc, _TELLING):
        exc = exc.__cause__
    for kinds, kind, told, cure in _FAILURES:
        if isinstance(exc, kinds):
            return NoAnswer(kind, f"{host}: {told.format(seconds=timeout_seconds)}{_detail(exc)}", cure=cure)
    return NoAnswer(PollErrorKind.NETWORK, f"{host}: {type(exc).__name__}{_detail(exc)}", cure=_REACH)


_TELLING = (TimeoutError, aiohttp.ClientError, httpx.DecodingError, httpx.InvalidURL)  # their causes say less
_REACH = "check that this machine reaches the host, directly or through http.proxy"
_TLS = "if a proxy inspects TLS, add its root certificate as http.ca_file; else check the clock and the host's name"
_PROXY = "check http.proxy, HTTPS_PROXY and NO_PROXY, and that the proxy lets this host through"
_NETWORK, _MALFORMED = PollErrorKind.NETWORK, PollErrorKind.MALFORMED
# The first row that fits holds: certificates and proxies are connector errors too.
_FAILURES: tuple[tuple[tuple[type[BaseException], ...], PollErrorKind, str, str], ...] = (
    (
        (TimeoutError,),
        PollErrorKind.TIMEOUT,
        "no answer within {seconds:g} s",
        "raise poll.timeout if the network is slow",
    ),
    ((aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError), _NETWORK, "the proxy refused", _PROXY),
    ((aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError, ssl.SSLError), _NETWORK, "TLS failed", _TLS),
    ((aiohttp.ClientConnectorDNSError,), _NETWORK, "the name is not known", _REACH),
    ((aiohttp.ClientConnectorError,), _NETWORK, "no connection", _REACH),
    ((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError), _NETWORK, "the connection broke", _REACH),
    ((httpx.DecodingError,), _MALFORMED, "an answer that cannot be decompressed", _REACH),
    ((aiohttp.ClientResponseError,), _MALFORMED, "an answer that is no HTTP", _REACH),
    ((httpx.InvalidURL, aiohttp.InvalidURL), _MALFORMED, "a link that is no URL", _REACH),
)


def _detail(exc: BaseException) -> str:
    """Shorten what the library says, which may quote the peer."""
    told = " ".join(str(exc).split())[:200]
    return f" ({told})" if told else ""
