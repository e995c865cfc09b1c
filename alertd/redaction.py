"""Redaction: what must not be read in a log line, an error or a page is taken out of a text.

The rules err on the side of hiding. A webhook's URL is a credential in its path as well as in its query, and a text does not tell which
URL is one, so paths survive only where the host is Microsoft's own and serves no webhooks; queries and user names survive nowhere.
"""

from __future__ import annotations

import re

HIDDEN = "<redacted>"

# Hosts whose paths help whoever reads the line and are no secret: Graph, the token authorities, the documentation.
_PATH_MAY_SHOW = re.compile(
    r"(?:.+\.)?(?:graph\.microsoft\.(?:com|us)|microsoftgraph\.chinacloudapi\.cn|learn\.microsoft\.com"
    r"|login\.microsoftonline\.(?:com|us)|login\.(?:partner\.)?(?:chinacloudapi|microsoftonline)\.cn)",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.\-]{1,30}://)(?P<user>[^\s/@\"'<>]*@)?(?P<host>[^\s/?#\"'<>]*)(?P<path>/[^\s?#\"'<>]*)?(?P<rest>[?#][^\s\"'<>]*)?",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(?P<word>bearer|basic)\s+[A-Za-z0-9._~+/=\-]{8,}", re.IGNORECASE)
_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_\-]{10,}(?:\.[A-Za-z0-9_\-]+){0,2}")  # a JSON web token, wherever it stands
_ASSIGNED = re.compile(
    r"(?P<name>\b(?:sig|signature|access_token|refresh_token|id_token|client_secret|client_assertion|password|routing_key|api_key)"
    r"[\"']?\s*[=:]\s*[\"']?)(?P<value>[^\s&\"',;<>{}]+)",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Give the text without credentials: URLs keep scheme and host, tokens and assigned secrets become ``<redacted>``."""
    text = _URL.sub(_shown_url, text)
    text = _BEARER.sub(lambda found: f"{found['word']} {HIDDEN}", text)
    text = _TOKEN.sub(HIDDEN, text)
    return _ASSIGNED.sub(lambda found: f"{found['name']}{HIDDEN}", text)


def _shown_url(found: re.Match[str]) -> str:
    user = f"{HIDDEN}@" if found["user"] else ""
    path = found["path"] or ""
    if found["scheme"].lower() in {"http://", "https://"} and path.strip("/") and not _is_open(found["host"]):
        path = f"/{HIDDEN}"
    rest = f"{found['rest'][0]}{HIDDEN}" if found["rest"] else ""
    return f"{found['scheme']}{user}{found['host']}{path}{rest}"


def _is_open(host: str) -> bool:
    name = host.rpartition(":")[0] or host if host.rpartition(":")[2].isdigit() else host
    return _PATH_MAY_SHOW.fullmatch(name) is not None
