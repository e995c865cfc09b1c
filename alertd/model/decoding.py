"""From bytes to resources and back: tolerant in content, strict in shape.

The typed decode comes first. Where it fails, the answer is read untyped, what Graph is known to write for "never" is
put right, and it is
converted again; what still does not fit is malformed, with the JSON path and both types in the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from alertd.model.resources import EntryCounts, JobSettings, SynchronizationJob

Resource = TypeVar("Resource")

_FAR_PAST_OR_FUTURE = re.compile(r"(?:0001|9999)-\d\d-\d\d")


class MalformedResource(ValueError):  # noqa: N818 - reads as what it is in `raise ... from`
    """An answer of a shape the documentation does not allow; the message holds the JSON path."""


# What a pair calls its key, and what its value is.
_PAIRS: Mapping[type[Any], tuple[str, type[Any]]] = {EntryCounts: ("key", int), JobSettings: ("name", str)}


def _decode_hook(kind: type[Any], raw: object) -> object:
    if kind not in _PAIRS:
        raise NotImplementedError(f"no way to read {kind}")
    if not isinstance(raw, list):
        raise TypeError(f"Expected `array`, got `{type(raw).__name__}`")
    return kind(_values(raw, *_PAIRS[kind]))


def _values(pairs: list[Any], name: str, wanted: type[Any]) -> dict[str, Any]:
    """Read a list of pairs; one loop, since every job that is read has two of them."""
    values = {}
    for pair in pairs:
        if not isinstance(pair, dict) or not isinstance(key := pair.get(name), str):
            raise TypeError(f"Expected an object with `{name}`")
        value = pair.get("value")
        values[key] = value if type(value) is wanted else _value(key, value, wanted)
    return values


def _value(key: str, value: object, wanted: type[Any]) -> object:
    if value is None:
        return wanted()
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise TypeError(f"Expected `{wanted.__name__}` as value of {key!r}, got `{type(value).__name__}`")
    return value


def _encode_hook(value: object) -> object:
    if isinstance(value, EntryCounts):
        return [{"key": key, "value": number} for key, number in value.items()]
    if isinstance(value, JobSettings):
        return [{"name": name, "value": text} for name, text in value.items()]
    raise NotImplementedError(f"no way to write {type(value)}")


_encoder = msgspec.json.Encoder(enc_hook=_encode_hook)
_job_decoder = msgspec.json.Decoder(SynchronizationJob, dec_hook=_decode_hook)


def decode_job(raw: bytes | msgspec.Raw) -> SynchronizationJob:
    """Read one synchronizationJob; raises MalformedResource with the path of what is wrong."""
    try:
        return _job_decoder.decode(raw)
    except msgspec.MsgspecError:
        return decode(raw, SynchronizationJob)


def decode(raw: bytes | msgspec.Raw, kind: type[Resource]) -> Resource:
    """Read a resource of any kind after putting right what Graph writes for "never"."""
    try:
        return convert(msgspec.json.decode(raw), kind)
    except msgspec.MsgspecError as exc:
        raise MalformedResource(str(exc)) from exc


def convert(plain: object, kind: type[Resource]) -> Resource:
    """Read a resource from plain values, as decoded from JSON or YAML; raises MalformedResource."""
    try:
        return msgspec.convert(_normalise(plain), kind, dec_hook=_decode_hook)
    except msgspec.MsgspecError as exc:
        raise MalformedResource(str(exc)) from exc


def encode(resource: object) -> bytes:
    """Write a resource as JSON that `decode` reads back to an equal value."""
    return _encoder.encode(resource)


_DATES = frozenset(
    {
        "timeBegan",
        "timeEnded",
        "currentBegan",
        "nextAttempt",
        "seriesBegan",
        "steadyStateFirstAchievedTime",
        "steadyStateLastAchievedTime",
        "progressObservationDateTime",
        "expiration",
    }
)


def _normalise(plain: object) -> object:
    if isinstance(plain, dict):
        return {
            key: _never(key, value) if isinstance(value, str) else _normalise(value) for key, value in plain.items()
        }
    if isinstance(plain, list):
        return [_normalise(value) for value in plain]
    return plain


def _never(key: str, text: str) -> str | None:
    if key == "interval" and not text.strip():
        return None
    if key in _DATES and (not text.strip() or _FAR_PAST_OR_FUTURE.match(text)):
        return None
    return text
