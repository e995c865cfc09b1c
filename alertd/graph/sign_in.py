"""The way to the sign-in service: MSAL is synchronous, so it gets threads and connections of its own.

Shared by all tenants of a process. An attempt may take `timeout` seconds; beyond it the caller goes on while the thread ends by the
time limits of its requests.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import attrs
import httpx

from alertd.errors import PollError, PollErrorKind
from alertd.graph.cures import CURES
from alertd.graph.settings import HttpSettings
from alertd.graph.trust import make_ssl_context

Result = TypeVar("Result")

THREADS = 8
_BODY_MAX = 1024 * 1024  # bytes; a token answer has 2 kB


@attrs.frozen
class _Answer:
    """A response in the shape MSAL asks of an HTTP client."""

    status_code: int
    text: str = attrs.field(repr=False)
    headers: Mapping[str, str]


class SignInHttp:
    """An HTTP client as MSAL wants one: verified by the system's store, through the proxy, no redirects, bounded in size and time.

    MSAL takes only https authorities. A loopback one without TLS, as in a drill, is written as https for it, and turned back here.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._plain: set[str] = set()
        self._client: httpx.Client | None = None
        self._users: Counter[httpx.Client] = Counter()
        self._lock = threading.Lock()

    def authority(self, url: str) -> str:
        """Give the authority as MSAL takes it, and remember when it has no TLS."""
        parts = urlsplit(url)
        if parts.scheme != "http":
            return url
        self._plain.add(parts.netloc)
        return parts._replace(scheme="https").geturl()

    def get(self, url: str, **arguments: Any) -> _Answer:  # noqa: ANN401 - MSAL's
        """Send a GET; raises httpx.HTTPError."""
        return self._send("GET", url, **arguments)

    def post(self, url: str, *, data: Mapping[str, Any] | None = None, **arguments: Any) -> _Answer:  # noqa: ANN401
        """Send a POST; raises httpx.HTTPError. MSAL gives assertions as bytes, which httpx would write as ``b'...'``."""
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in (data or {}).items()}
        return self._send("POST", url, data=form, **arguments)

    def close(self) -> None:
        """Close the connections; those that a thread still waits at, when it leaves."""
        with self._lock:
            client, self._client = self._client, None
            if client is not None and not self._users[client]:
                client.close()

    def _send(self, method: str, url: str, **arguments: Any) -> _Answer:  # noqa: ANN401
        netloc = urlsplit(url).netloc
        plain = netloc in self._plain
        if plain:
            url = url.replace("https://", "http://", 1)
        with self._opened() as client, client.stream(method, url, **arguments) as response:
            text = _read(response)
        if plain:
            text = text.replace(f"http://{netloc}", f"https://{netloc}")
        return _Answer(response.status_code, text, response.headers)

    @contextmanager
    def _opened(self) -> Iterator[httpx.Client]:
        with self._lock:
            client = self._client = self._client or self._made()
            self._users[client] += 1
        try:
            yield client
        finally:
            with self._lock:
                self._users[client] -= 1
                if not self._users[client] and client is not self._client:
                    del self._users[client]
                    client.close()

    def _made(self) -> httpx.Client:
        return httpx.Client(
            verify=make_ssl_context(self._settings.ca_file),
            proxy=self._settings.proxy,
            timeout=self._settings.timeout,
        )


def _read(response: httpx.Response) -> str:
    chunks: list[bytes] = []
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        if sum(map(len, chunks)) > _BODY_MAX:
            raise httpx.DecodingError("the answer is too long to be one of a sign-in service")
    return b"".join(chunks).decode("utf-8", "replace")


class SignIn:
    """Threads and connections for tokens."""

    def __init__(self, settings: HttpSettings) -> None:
        self.settings = settings
        self.http = SignInHttp(settings)
        self._threads: ThreadPoolExecutor | None = None
        self._free = asyncio.Semaphore(THREADS)

    async def run(self, acquire: Callable[[], Result]) -> Result:
        """Run a blocking function in a thread; raises PollError(timeout) when it takes too long, its queue not counted."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="alertd-sign-in")
        seconds = self.settings.timeout
        async with self._free:
            try:
                async with asyncio.timeout(seconds):
                    return await asyncio.get_running_loop().run_in_executor(self._threads, acquire)
            except TimeoutError as exc:
                message = f"the sign-in service did not answer within {seconds:g} s"
                raise PollError(PollErrorKind.TIMEOUT, message, cure=CURES[PollErrorKind.TIMEOUT]) from exc

    async def close(self) -> None:
        """Let go of threads and connections."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = None
        self.http.close()


def sign_in_failure(exc: Exception) -> PollError:
    """Say what a failed exchange with the sign-in service was."""
    told = " ".join(f"{type(exc).__name__}: {exc}".split())[:300]
    if isinstance(exc, httpx.TimeoutException):
        return PollError(PollErrorKind.TIMEOUT, f"sign-in: {told}", cure=CURES[PollErrorKind.TIMEOUT])
    if _is_tls(exc):
        cure = "if a proxy inspects TLS, add its root certificate as http.ca_file; else check the clock and `authority`"
        return PollError(PollErrorKind.NETWORK, f"sign-in: TLS failed ({told})", cure=cure)
    return PollError(PollErrorKind.NETWORK, f"sign-in: {told}", cure=CURES[PollErrorKind.NETWORK])


def _is_tls(exc: BaseException | None) -> bool:
    while exc is not None:
        if isinstance(exc, ssl.SSLError):
            return True
        exc = exc.__cause__ or exc.__context__
    return False
