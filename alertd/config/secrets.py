"""Kinds of values that open doors: secrets with their ``_file`` twin, and URLs, which may be secrets themselves.

What stands in the file is never shown in a problem of these: a webhook's URL is a credential as much as a password is.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

import attrs

from alertd.config.context import Context, Secrets
from alertd.config.kinds import ABSENT, Kind, Schema
from alertd.config.paths import RELATIVE
from alertd.errors import ConfigError
from alertd.model.document import Fields, Node
from alertd.model.secret import Secret

_RETIRED = re.compile(r"(?:.+\.)?webhook\.office\.com|outlook\.office(?:365)?\.com", re.IGNORECASE)


@attrs.frozen
class SecretText(Kind):
    """A secret, written here or, better, in a file that ``<key>_file`` names; one of the two."""

    expected: ClassVar[str] = "a secret"
    harmless: ClassVar[Any] = Secret("")

    def keys(self, name: str) -> tuple[str, ...]:
        """Give the key and its twin."""
        return (name, f"{name}_file")

    def take(self, name: str, fields: Fields, context: Context) -> Any:
        """Read whichever of the two is there; both at once are a problem."""
        here, twin = fields[name], fields[f"{name}_file"]
        if not here.null and not twin.null:
            twin.problem(f"`{name}` and `{name}_file`", expected="one of the two", cure="keep the file")
        if not twin.null:
            return self._in_file(twin, context)
        return ABSENT if here.null else self.read(here, context)

    def read(self, node: Node, context: Context) -> Secret:
        """Give the secret that is written in the file or comes from the environment."""
        before = len(node.document.problems)
        text = secret_text(node)
        if len(node.document.problems) == before and not context.unresolved(text):
            self.check(text, node, context)
            self._warn_exposed(text, node, context)
        return Secret(text)

    def _in_file(self, node: Node, context: Context) -> Secret:
        name = node.text("")
        secret = Secret.from_file(context.resolve(name))
        if context.secrets is Secrets.READ and name and not context.unresolved(name):
            self._probe(secret, node, context)
        return secret

    def _probe(self, secret: Secret, node: Node, context: Context) -> None:
        if secret.path is not None and not secret.path.is_file():
            node.problem(expected="a file that is there", cure=f"{RELATIVE}: {secret.path}")
            return
        try:
            text = secret.reveal()
        except ConfigError as exc:
            (problem,) = exc.problems
            node.problem(f"{node.found}, {problem.found}", expected=problem.expected, cure=problem.cure)
        else:
            self.check(text, node, context)

    def opens_doors(self, text: str) -> bool:
        """Whether knowing the text lets anybody in."""
        return bool(text)

    def _warn_exposed(self, text: str, node: Node, context: Context) -> None:
        if context.exposed and self.opens_doors(text) and text not in context.environment.filled:
            key = node.path.rpartition(".")[2]
            cure = f"put it in a file and name that with `{key}_file`, or chmod 600 this one"
            node.problem("a credential in a file that every user may read", cure=cure, warning=True)

    def check(self, text: str, node: Node, context: Context) -> None:
        """Note what is wrong with the text, without showing it; the node is where it or the name of its file stands."""
        del context
        if node.scalar and not text.strip():
            node.problem("an empty text", expected=self.expected, cure="is the variable set, and not to nothing?")

    def schema(self) -> Schema:
        """Say that it is a string."""
        return {"type": "string", "minLength": 1}


@attrs.frozen
class SecretUrl(SecretText):
    """A URL that is a credential: whoever knows it may post. It is used exactly as it is written."""

    expected: ClassVar[str] = "an https:// URL"

    def opens_doors(self, text: str) -> bool:
        """Not that of a service on this very machine."""
        parts = _split(text)
        return parts is not None and not is_loopback(parts.hostname or "")

    def check(self, text: str, node: Node, context: Context) -> None:
        """Note a URL that cannot be used or must not be used."""
        check_url(text, node, context, secret=True)


@attrs.frozen
class Url(Kind):
    """A URL without user, query or fragment; a slash at its end is not part of it. plain: http:// is as good as https://."""

    plain: bool = attrs.field(default=False, kw_only=True)

    expected: ClassVar[str] = "an https:// URL"
    harmless: ClassVar[Any] = ""

    def read(self, node: Node, context: Context) -> str:
        """Give the URL."""
        text = node.text("").strip()
        if not context.unresolved(text) and node.scalar:
            context = attrs.evolve(context, allow_http=context.allow_http or self.plain)
            check_url(text, node, context, secret=False)
        return text.rstrip("/")

    def schema(self) -> Schema:
        """Say that it begins with a scheme, or is filled from the environment."""
        return {"type": "string", "pattern": r"^https?://|\$\{"}


def secret_text(node: Node) -> str:
    """Read a text whose problems must not show it."""
    problems = node.document.problems
    before = len(problems)
    text = node.text("")
    harmless = not node.scalar or re.fullmatch(r"`\$\{\w+\}`", node.found)
    shown = node.found if harmless else "a text"
    problems[before:] = [attrs.evolve(problem, found=shown) for problem in problems[before:]]
    return text


def check_url(text: str, node: Node, context: Context, *, secret: bool) -> None:
    """Note a URL that is none, is not protected, or belongs to a service that has ended."""
    parts = _split(text)
    shown = "a URL" if secret else node.found
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        node.problem("no URL" if secret else node.found, expected="an https:// URL")
    elif parts.scheme == "http" and not (context.allow_http or is_loopback(parts.hostname)):
        cure = "use https://; if plain HTTP is meant, write allow_http: true beside it"
        node.problem(f"{shown} with http://" if secret else shown, expected="https://, or a loopback host", cure=cure)
    elif _RETIRED.fullmatch(parts.hostname):
        node.problem(f"a URL of {parts.hostname}", expected="the URL of a Workflows webhook", cure=_RETIREMENT)
    elif not secret and (parts.username is not None or parts.query or parts.fragment):
        node.problem("a URL with user, query or fragment", expected="scheme, host and path alone")


_RETIREMENT = (
    "Microsoft has retired Office 365 connectors, so messages to it are lost; in Teams: the channel, Workflows, "
    '"Send webhook alerts to a channel", and copy the URL it shows'
)


def _split(text: str) -> SplitResult | None:
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return None
    return parts


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, whatever resolvers say."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
