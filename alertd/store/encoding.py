"""Values as MessagePack and back, equal to what they were.

attrs classes are maps by their own property names, so a property that a later version adds is null in what an earlier one wrote, and one it
removed is passed over. Instants are MessagePack's own timestamps. What MessagePack has no word for is an extension type:

1  a duration in microseconds     2  `status.progress`, the one list that a Change may hold
3  a GUID in 16 bytes             4  an instant, in microseconds from that of its entry: both only in history, where room matters
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import attrs
import msgspec
from msgspec.msgpack import Decoder, Encoder, Ext

from alertd.errors import StoreError
from alertd.model.alert import Alert, Event, Evidence
from alertd.model.change import Change
from alertd.model.resources import NamedValues, SynchronizationProgress
from alertd.notify.silences import Silence
from alertd.store.values import Conversation, Delivery, Group, JobRecord, PrincipalRecord, TenantRecord

Value = TypeVar("Value")

DURATION, PROGRESS, GUID, INSTANT = 1, 2, 3, 4

_MICROSECOND = timedelta(microseconds=1)


def sealed(value: object) -> object:
    """Give one side of a Change as MessagePack can hold it; `decoder` gives it back."""
    if isinstance(value, timedelta):
        return Ext(DURATION, number_bytes(value // _MICROSECOND))
    if isinstance(value, tuple):
        return Ext(PROGRESS, _encoder.encode(value))
    return value


def number_bytes(number: int) -> bytes:
    """Write a whole number in as few bytes as it needs."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def unsealed(code: int, content: bytes | memoryview) -> object:
    """Give back what an extension type holds."""
    if code == DURATION:
        return timedelta(microseconds=int.from_bytes(content, "big", signed=True))
    if code == PROGRESS:
        return _progress.decode(content)
    if code == GUID:
        digits = content.hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    raise ValueError(f"extension type {code}")


def _encode_hook(value: object) -> object:
    if isinstance(value, NamedValues):
        return dict(value.items())  # a Mapping is asked for each key and value, its items at once
    raise NotImplementedError(f"no way to write {type(value)}")


def _decode_hook(kind: type[Any], raw: Any) -> object:  # noqa: ANN401 - what NamedValues takes
    if issubclass(kind, NamedValues):
        return kind(raw)
    if kind is object:  # `instants` of the facts: scalars of any kind
        return raw
    raise NotImplementedError(f"no way to read {kind}")


_encoder = Encoder(enc_hook=_encode_hook)
_progress: Decoder[tuple[SynchronizationProgress, ...]] = Decoder(tuple[SynchronizationProgress, ...])


def encode(value: object) -> bytes:
    """Write a value; raises StoreError for what no column could hold, such as a number beyond 64 bits."""
    try:
        return _encoder.encode(value)
    except (OverflowError, TypeError, NotImplementedError) as exc:
        raise StoreError(f"a value cannot be stored: {exc}") from exc


def decoder(kind: Any, *, unseal: bool = True) -> Callable[[bytes], Any]:  # noqa: ANN401 - a type form such as tuple[A, B]
    """Give a reader of values of this kind; it raises StoreError for bytes that hold none.

    unseal: false leaves extension types as they stand, for a caller that knows more about them.
    """
    typed: Decoder[Any] = Decoder(kind, dec_hook=_decode_hook, ext_hook=unsealed if unseal else None)

    def decode(content: bytes) -> Any:  # noqa: ANN401
        try:
            return typed.decode(content)
        except (msgspec.MsgspecError, ValueError, TypeError) as exc:
            raise StoreError(f"the store holds what this version cannot read ({exc}): restore a backup") from exc

    return decode


def sealed_evidence(item: Value) -> Value:
    """Give an alert or event whose evidence MessagePack can hold."""
    evidence: Evidence = item.evidence  # type: ignore[attr-defined]
    if not any(
        isinstance(side, timedelta | tuple) for change in evidence.changes for side in (change.before, change.after)
    ):
        return item
    changes = tuple(Change(change.path, sealed(change.before), sealed(change.after)) for change in evidence.changes)
    return attrs.evolve(item, evidence=attrs.evolve(evidence, changes=changes))  # type: ignore[misc]


def sealed_events(events: Iterable[Event]) -> tuple[Event, ...]:
    """Give events whose evidence MessagePack can hold."""
    return tuple(sealed_evidence(event) for event in events)


decode_tenant: Callable[[bytes], TenantRecord] = decoder(TenantRecord)
decode_principal: Callable[[bytes], PrincipalRecord] = decoder(PrincipalRecord)
decode_job: Callable[[bytes], JobRecord] = decoder(JobRecord)
decode_alert: Callable[[bytes], Alert] = decoder(Alert)
decode_event: Callable[[bytes], Event] = decoder(Event)
decode_silence: Callable[[bytes], Silence] = decoder(Silence)
decode_group: Callable[[bytes], Group] = decoder(Group)
decode_conversation: Callable[[bytes], Conversation] = decoder(Conversation)
decode_delivery: Callable[[bytes], Delivery] = decoder(Delivery)
decode_names: Callable[[bytes], tuple[str, ...]] = decoder(tuple[str, ...])
