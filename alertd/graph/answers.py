"""The reading of answers: which of them is a failure, of which kind, and whether another attempt makes sense.

Decided by status, by the place of the request and by a few error codes; never by a message. `error.code` may be empty, an answer may be
a proxy's HTML, and a missing permission on the synchronization resources is a 401 whose code is ``UnknownError``.
Source: https://learn.microsoft.com/graph/errors and https://learn.microsoft.com/graph/throttling
"""

from __future__ import annotations

import base64
import binascii
import enum
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import msgspec

from alertd.errors import PollError, PollErrorKind
from alertd.graph.cures import CURES, DIRECTORY_CURE, SYNCHRONIZATION_CURE
from alertd.graph.retry import parse_retry_after

_TEXT_MAX = 200  # characters of Graph's message that are passed on
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404


class Place(enum.Enum):
    """What was asked: the same status means different things."""

    BATCH = "batch"  # the envelope of a batch: says nothing about any one principal
    DIRECTORY = "directory"  # service principals, applications
    SYNCHRONIZATION = "synchronization"  # jobs of one principal


class GraphError(PollError):
    """An answer that is a failure.

    status: of the answer. code: Graph's own, may be empty. retriable: a later attempt may succeed.
    token_rejected: a fresh token may help. claims: what Graph wants the token to hold (JSON), where it says so.
    """

    def __init__(
        self,
        kind: PollErrorKind,
        message: str,
        *,
        status: int,
        code: str = "",
        cure: str = "",
        retry_after: float | None = None,
        retriable: bool = False,
        token_rejected: bool = False,
        claims: str | None = None,
    ) -> None:
        super().__init__(kind, message, cure=cure or CURES[kind], retry_after=retry_after)
        self.status = status
        self.code = code
        self.retriable = retriable
        self.token_rejected = token_rejected
        self.claims = claims


@attrs.frozen
class _Told:
    """What an OData error body says; empty where the body is anything else."""

    code: str = ""
    message: str = ""
    request_id: str = ""
    odata: bool = False


def failure(
    status: int,
    headers: Mapping[str, str],
    body: bytes | msgspec.Raw,
    *,
    place: Place,
    now: datetime,
    genuine: bool = False,
) -> GraphError | None:
    """Give the failure that an answer is, null for a good one.

    headers: by lower-case name. genuine: it is Graph's own whatever its body, since it is part of a batch that Graph answered.
    """
    if status == _OK:
        return None
    told = _read_error(body)
    told = attrs.evolve(told, odata=told.odata or genuine)
    kind, retriable = _kind(status, told, place)
    challenge = headers.get("www-authenticate", "")
    rejected = kind is PollErrorKind.AUTH
    return GraphError(
        kind,
        _message(status, told, headers),
        status=status,
        code=told.code,
        cure=_cure(kind, place, told, status),
        retry_after=parse_retry_after(headers.get("retry-after"), now) if retriable else None,
        retriable=retriable,
        token_rejected=rejected,
        claims=_claims(challenge) if rejected else None,
    )


def malformed(message: str) -> GraphError:
    """Give the failure of an answer that is not what the documentation promises."""
    return GraphError(PollErrorKind.MALFORMED, message, status=_OK)


_THROTTLED = frozenset({424, 429, 509})  # 424: what an older service makes of a batch of which a part was throttled
_BROKEN = frozenset({500, 502, 503})
_SLOW = frozenset({408, 504})


def _kind(status: int, told: _Told, place: Place) -> tuple[PollErrorKind, bool]:
    """Give the kind, and whether another attempt may succeed."""
    if status in _THROTTLED:
        return PollErrorKind.THROTTLED, True
    if status in _BROKEN:
        return PollErrorKind.SERVER, True
    if status in _SLOW:
        return PollErrorKind.TIMEOUT, True
    known = told.odata or status == _UNAUTHORIZED
    return (_refusal(status, told, place) if known else PollErrorKind.SERVER), False


def _refusal(status: int, told: _Told, place: Place) -> PollErrorKind:
    """Read a refusal that is truly Graph's; a 401 may come without a body."""
    if status == _UNAUTHORIZED:
        return PollErrorKind.PERMISSION if _lacks_role(told, place) else PollErrorKind.AUTH
    if status == _FORBIDDEN:
        return PollErrorKind.PERMISSION
    if status == _NOT_FOUND and place is Place.SYNCHRONIZATION:
        return PollErrorKind.NOT_FOUND
    return PollErrorKind.SERVER


def _lacks_role(told: _Told, place: Place) -> bool:
    """Tell a missing role from a bad token: refreshing the token for ever would help nobody."""
    return told.code == "UnknownError" or (place is Place.SYNCHRONIZATION and told.code != "InvalidAuthenticationToken")


def _cure(kind: PollErrorKind, place: Place, told: _Told, status: int) -> str:
    if kind is PollErrorKind.PERMISSION:
        return {Place.DIRECTORY: DIRECTORY_CURE, Place.SYNCHRONIZATION: SYNCHRONIZATION_CURE}.get(place, "")
    if kind is PollErrorKind.SERVER and not told.odata and status not in _BROKEN:
        return "something else answers in Graph's place: check graph_url, and any proxy or gateway on the way"
    return ""


def _message(status: int, told: _Told, headers: Mapping[str, str]) -> str:
    if not told.odata:
        kind = headers.get("content-type", "").partition(";")[0].strip() or "no content type"
        return f"answer {status} that is not Graph's ({kind})"
    request_id = told.request_id or headers.get("request-id", "")
    parts = [f"{status} {told.code}".strip(), told.message, f"request-id {request_id}" if request_id else ""]
    return "; ".join(part for part in parts if part)


def _read_error(body: bytes | msgspec.Raw) -> _Told:
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Told()
    error = plain.get("error") if isinstance(plain, dict) else None
    if not isinstance(error, dict):
        return _Told()
    inner = error.get("innerError") or error.get("innererror")
    return _Told(
        code=_text(error.get("code")),
        message=_text(error.get("message")),
        request_id=_text(inner.get("request-id")) if isinstance(inner, dict) else "",
        odata=True,
    )


def _text(value: Any) -> str:  # noqa: ANN401 - whatever the body holds
    """Shorten text from outside to one printable line."""
    line = " ".join(value.split()) if isinstance(value, str) else ""
    return "".join(character for character in line if character.isprintable())[:_TEXT_MAX]


_CLAIMS = re.compile(r'\bclaims="([A-Za-z0-9+/=_-]+)"')


def _claims(challenge: str) -> str | None:
    """Read what a token must hold in addition, from a challenge of Continuous Access Evaluation."""
    found = _CLAIMS.search(challenge)
    if found is None:
        return None
    try:
        text = found[1].rstrip("=").translate(str.maketrans("+/", "-_"))
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
