"""The sections of the configuration that say how alertd itself works: one attrs class each, with its defaults."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import attrs

from alertd.config.context import Context
from alertd.config.kinds import Boolean, Choice, Duration, Integer, Kind, Schema, Size
from alertd.config.paths import FilePath
from alertd.config.secrets import SecretText, SecretUrl, is_loopback
from alertd.config.shape import NotYet
from alertd.model.document import Node
from alertd.model.secret import Secret

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("auto", "json", "console")


@attrs.frozen(kw_only=True)
class Poll:
    """How Microsoft Graph is asked."""

    interval: Annotated[
        timedelta, Duration("From the start of one round of a tenant to the start of its next.", least="1s", most="1d")
    ] = timedelta(minutes=5)
    timeout: Annotated[
        timedelta, Duration("How long one HTTP attempt may take, its body included.", least="1s", most="10m")
    ] = timedelta(seconds=30)
    concurrency: Annotated[
        int, Integer("How many batches of 20 requests a tenant has in flight at most.", least=1, most=50)
    ] = 6
    discovery_interval: Annotated[
        timedelta, Duration("How often all service principals are listed anew.", least="1s", most="7d")
    ] = timedelta(hours=6)
    max_added_delay: Annotated[
        timedelta,
        Duration(
            "How much later than in every round a job may be looked at when nothing is expected of it; 0s: every job in every round.",
            most="6h",
        ),
    ] = timedelta(0)
    max_requests_per_minute: Annotated[
        int | None,
        Integer(
            "How many requests a tenant is sent in any minute at most, parts of a batch counted one by one. Default: as many as are needed.",
            least=1,
            most=1_000_000,
        ),
    ] = None
    first_sight: Annotated[
        str,
        Choice(
            "A state that is already true when a job is seen first: `alert` fires, `baseline` stays quiet until it has once been false.",
            ("alert", "baseline"),
        ),
    ] = "alert"


@attrs.frozen(kw_only=True)
class History:
    """How much of the past is kept, for timelines, explanations and backtests. The older end goes first."""

    retain: Annotated[timedelta, Duration("How long history is kept.", least="1h")] = timedelta(days=30)
    max_size: Annotated[int, Size("How large it may grow; units count in thousands.")] = 5 * 10**9


@attrs.frozen(kw_only=True)
class Delivery:
    """What happens when a receiver does not take a message."""

    retry_for: Annotated[
        timedelta, Duration("How long attempts go on before a delivery is given up as failed.", most="30d")
    ] = timedelta(hours=24)
    on_unknown: Annotated[
        str,
        Choice("When the body went out and no answer came: `retry` (twice beats lost) or `skip`.", ("retry", "skip")),
    ] = "retry"


@attrs.frozen
class Listen:
    """An address to listen on; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@attrs.frozen
class ListenAddress(Kind):
    """A host and a port. Only loopback, since this version has no log-in for its pages."""

    expected: ClassVar[str] = "an address such as 127.0.0.1:9095"
    harmless: ClassVar[Any] = Listen("127.0.0.1", 0)

    def read(self, node: Node, context: Context) -> Listen:  # noqa: ARG002 - the same for every kind
        """Give host and port."""
        match = re.fullmatch(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>\d{1,5})", node.text(""))
        if match is None or int(match["port"]) > 65_535:  # noqa: PLR2004 - the largest port
            node.problem(expected=self.expected)
            return Listen("127.0.0.1", 0)
        host = match["six"] or match["host"]
        if not is_loopback(host):
            node.problem(
                expected="a loopback address", cure=f"use {_loopback_like(host)}: web.auth is not in this version"
            )
        return Listen(host, int(match["port"]))

    def written(self, value: Any) -> Any:
        """Write host and port."""
        return str(value)

    def schema(self) -> Schema:
        """Say that it ends in a port."""
        return {"type": "string", "pattern": r":\d{1,5}$|\$\{"}


def _loopback_like(host: str) -> str:
    try:
        return "[::1]" if ipaddress.ip_address(host).version == 6 else "127.0.0.1"  # noqa: PLR2004 - IPv6
    except ValueError:
        return "127.0.0.1"


@attrs.frozen(kw_only=True)
class Web:
    """The pages and the HTTP interface."""

    listen: Annotated[Listen, ListenAddress("Where to listen; port 0 is any free one.")] = Listen("127.0.0.1", 9095)
    auth: Annotated[
        None, NotYet("Who may come in from elsewhere than this machine.", instead="listen on 127.0.0.1")
    ] = None
    tls: Annotated[None, NotYet("The certificate of the pages.", instead="put a proxy before it that speaks TLS")] = (
        None
    )


@attrs.frozen(kw_only=True)
class Http:
    """The way to the outside, for Graph and receivers alike. Without these, the environment's HTTPS_PROXY and the system's trust store hold."""

    proxy: Annotated[
        Secret | None, SecretText("The proxy's URL; it may hold a password, so it is treated as a secret.")
    ] = None
    ca_file: Annotated[
        Path | None, FilePath("Certificates (PEM) of authorities to trust in addition to the system's.")
    ] = None


@attrs.frozen(kw_only=True)
class Log:
    """What is logged to stderr."""

    level: Annotated[str, Choice("The least severity that is logged.", LEVELS)] = "info"
    format: Annotated[
        str, Choice("One JSON object per line, or for eyes; `auto`: for eyes on a terminal.", FORMATS)
    ] = "auto"


@attrs.frozen(kw_only=True)
class Heartbeat:
    """A sign of life to a service that raises the alarm when it stays away: the one failure alertd cannot tell of itself."""

    url: Annotated[Secret, SecretUrl("The URL that is requested.")]
    interval: Annotated[timedelta, Duration("How often.", least="1s", most="1d")] = timedelta(minutes=1)
    allow_http: Annotated[bool, Boolean("Plain http:// is meant.")] = False
