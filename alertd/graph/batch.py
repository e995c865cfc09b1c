"""The envelope of a batch: up to twenty GETs in one POST, each of which succeeds or fails alone.

The parts come back in any order, matched by an id whose case does not matter; one of a wrong shape spoils no other.
Source: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from alertd.graph.answers import GraphError, Place, failure, malformed

PARTS_MAX = 20
_NULL = msgspec.Raw(b"null")

Part = msgspec.Raw | GraphError


class _Part(msgspec.Struct):
    """Headers and body stay raw: most parts are good, and their bodies are read as resources."""

    id: str
    status: int
    headers: msgspec.Raw = _NULL
    body: msgspec.Raw = _NULL


class _Parts(msgspec.Struct):
    responses: list[_Part]


class _RawParts(msgspec.Struct):
    responses: list[msgspec.Raw]


class _Id(msgspec.Struct):
    id: str


_parts = msgspec.json.Decoder(_Parts)
_raw_parts = msgspec.json.Decoder(_RawParts)
_part = msgspec.json.Decoder(_Part)
_id = msgspec.json.Decoder(_Id)
_any = msgspec.json.Decoder()


def encode_batch(paths: Mapping[str, str], headers: Mapping[str, str] | None = None) -> bytes:
    """Write the request; paths by part id, relative to the version root. headers: of every part, beside those of the envelope."""
    own = {"headers": headers} if headers else {}
    requests = [{"id": name, "method": "GET", "url": path, **own} for name, path in paths.items()]
    return msgspec.json.encode({"requests": requests})


def decode_batch(body: bytes, asked: Iterable[str], *, now: datetime) -> dict[str, Part]:
    """Read the answer: for each id that was asked, the raw body of a good part, or its failure.

    Raises GraphError when the answer as a whole is none to a batch.
    """
    names, found = tuple(asked), dict(_read(body, now))
    if found.keys() >= set(names):
        return {name: found[name] for name in names}
    lower = {name.lower(): part for name, part in found.items()}
    missing = malformed("the batch was answered without this part")
    return {name: lower.get(name.lower(), missing) for name in names}


def _read(body: bytes, now: datetime) -> list[tuple[str, Part]]:
    try:
        return [(part.id, _outcome(part, now)) for part in _parts.decode(body).responses]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_one_by_one(body, now)


def _read_one_by_one(body: bytes, now: datetime) -> list[tuple[str, Part]]:
    try:
        raw = _raw_parts.decode(body).responses
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise malformed(f"the answer is none to a batch: {exc}") from exc
    parts: list[tuple[str, Part]] = []
    for one in raw:
        parts += _read_part(one, now)
    return parts


def _read_part(raw: msgspec.Raw, now: datetime) -> list[tuple[str, Part]]:
    """Read one part; one whose id cannot be read is no answer to anything."""
    try:
        part = _part.decode(raw)
        return [(part.id, _outcome(part, now))]
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        fault = malformed(f"a part of the batch: {exc}")
    try:
        return [(_id.decode(raw).id, fault)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def _outcome(part: _Part, now: datetime) -> Part:
    if part.status == 200:  # noqa: PLR2004 - a status is its own name
        return part.body
    headers = _lower(_any.decode(part.headers))
    error = failure(part.status, headers, part.body, place=Place.SYNCHRONIZATION, now=now, genuine=True)
    return part.body if error is None else error


def _lower(headers: Any) -> Mapping[str, str]:  # noqa: ANN401 - whatever the part holds
    return {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
