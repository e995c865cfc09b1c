"""History's entries in as few bytes as they need: DESIGN allows 150 for a changed snapshot, its row and index included.

What a path or fact is called is a small number, GUIDs are 16 bytes, and the rest is deflated against a dictionary of words that recur. A run that
ended changes eight properties; that is 290 bytes of plain MessagePack and about 115 here. All of it is what stored rows are read with: numbers and
dictionary may be added to at the end of a list or under a new FORMAT, never changed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import attrs
import msgspec
from msgspec.msgpack import Decoder, Ext

from alertd.errors import StoreError
from alertd.model.change import Change
from alertd.model.facts import Facts
from alertd.model.resources import SynchronizationJob
from alertd.store.encoding import GUID, INSTANT, decoder, encode, number_bytes, sealed, unsealed
from alertd.store.values import HistoryEntry

FORMAT = b"\x01"

_RUN = [
    "activityIdentifier",
    "countEntitled",
    "countEntitledForProvisioning",
    "countEscrowed",
    "countEscrowedRaw",
    "countExported",
    "countExports",
    "countImported",
    "countImportedDeltas",
    "countImportedReferenceDeltas",
    "error.code",
    "error.message",
    "error.tenantActionable",
    "state",
    "timeBegan",
    "timeEnded",
]

# A path's number is its place in this list; a path that is not here stands as text.
PATHS = (
    *(f"status.lastExecution.{name}" for name in _RUN),
    *(f"status.lastSuccessfulExecution.{name}" for name in _RUN),
    *(f"status.lastSuccessfulExecutionWithExports.{name}" for name in _RUN),
    "status.code",
    "status.countSuccessiveCompleteFailures",
    "status.escrowsPruned",
    "status.progress",
    "status.quarantine.currentBegan",
    "status.quarantine.error.code",
    "status.quarantine.error.message",
    "status.quarantine.error.tenantActionable",
    "status.quarantine.nextAttempt",
    "status.quarantine.reason",
    "status.quarantine.seriesBegan",
    "status.quarantine.seriesCount",
    "status.steadyStateFirstAchievedTime",
    "status.steadyStateLastAchievedTime",
    "status.troubleshootingUrl",
    "job.schedule.expiration",
    "job.schedule.interval",
    "job.schedule.state",
    "job.templateId",
)

# A fact's number is its place in this list; a fact that is not here stands under its name.
FACTS = (
    "failureStreak",
    "ownFailures",
    "lastRun",
    "escrowRatio",
    "progressRatio",
    "expectedRunAt",
    "quarantinedSince",
    "firstSeenQuarantined",
    "disableAt",
    "instants",
)

_WORDS = (
    b'https://portal.azure.com/learn.microsoft.com/entra/identity/app-provisioning/troubleshootingUrl job.settings["'
    b"EncounteredBaseEscrowThreshold EncounteredTotalEscrowThreshold EncounteredEscrowProportionThreshold QuarantinedOnDemand TooManyDeletes "
    b"IngestionInterrupted EncounteredQuarantineException Unknown NotConfigured NotRun Paused Disabled currentBegan nextAttempt seriesBegan "
    b"seriesCount reason quarantine progressObservationDateTime completedUnits totalUnits units progress status.escrowsPruned "
    b"status.quarantine.reason job.schedule.state status.lastExecution.state status.code Quarantine "
    b"expiration interval PT40M schedule templateId synchronizationJobSettings AzureIngestionAttributeOptimization LookaheadQueryEnabled False True "
    b'synchronizedEntryCountByType status.synchronizedEntryCountByType["user to User"]["group to Group"] Group to group User to user '
    b"tenantActionable message error code None lastSuccessfulExecutionWithExports steadyStateFirstAchievedTime steadyStateLastAchievedTime "
    b"countSuccessiveCompleteFailures escrowsPruned lastSuccessfulExecution lastExecution activityIdentifier countEntitledForProvisioning "
    b"countEntitled countEscrowedRaw countEscrowed countExported countExports countImportedReferenceDeltas countImportedDeltas countImported "
    b"timeBegan timeEnded EntryLevelErrors Failed Succeeded Active state"
)

# Fixed Huffman codes, since a table of its own would outweigh so short a text; a window of 4 KB, since entries are smaller than that.
_WINDOW_BITS = -12
_compressor = zlib.compressobj(6, zlib.DEFLATED, _WINDOW_BITS, 5, zlib.Z_FIXED, _WORDS)

_NUMBERS: Mapping[str, int] = {path: number for number, path in enumerate(PATHS)}
_INSTANTS = FACTS.index("instants")
_FACTS: tuple[tuple[int | str, str, object], ...] = tuple(
    (FACTS.index(field.name) if field.name in FACTS else field.name, field.name, field.default)
    for field in attrs.fields(Facts)
    if field.name != "instants"
)
_MICROSECOND = timedelta(microseconds=1)
_GUID_LENGTH = 36
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_Plain = tuple[list[Any], dict[int | str, Any] | None, SynchronizationJob | None]
_decode = decoder(_Plain, unseal=False)
_outline: Decoder[tuple[list[Any], msgspec.Raw, msgspec.Raw]] = Decoder(tuple[list[Any], msgspec.Raw, msgspec.Raw])


def encode_entry(entry: HistoryEntry) -> bytes:
    """Write what an entry holds beside its key and instant."""
    packer = _Packer(entry.at)
    flat: list[object] = []
    for change in entry.changes:
        flat += _NUMBERS.get(change.path, change.path), packer.packed(change.before), packer.packed(change.after)
    facts = None if entry.facts is None else _said(entry.facts, packer)
    compressor = _compressor.copy()
    return FORMAT + compressor.compress(encode((flat, facts, entry.full))) + compressor.flush()


def decode_entry(content: bytes, at: datetime) -> tuple[tuple[Change, ...], Facts | None, SynchronizationJob | None]:
    """Give changes, facts and full snapshot of the entry of this instant; raises StoreError where they cannot be read."""
    flat, said, full = _decode(_inflated(content))
    values = [value if type(value) is not Ext else _unpacked(value, at) for value in flat]
    changes = tuple(
        Change(path, before, after)
        for path, before, after in zip(_named(tuple(flat[::3])), values[1::3], values[2::3], strict=True)
    )
    return changes, None if said is None else _facts(said, at), full


def changed_paths(content: bytes) -> tuple[str, ...]:
    """Name what an entry says has changed, in a fifth of the time that reading it takes; raises StoreError where it cannot be read."""
    try:
        flat, _, _ = _outline.decode(_inflated(content))
    except msgspec.MsgspecError as exc:
        raise StoreError(f"the store holds what this version cannot read ({exc}): restore a backup") from exc
    return _named(tuple(flat[::3]))


@lru_cache(maxsize=4096)  # runs change the same few sets of properties
def _named(paths: tuple[int | str, ...]) -> tuple[str, ...]:
    return tuple(PATHS[path] if isinstance(path, int) else path for path in paths)


def _inflated(content: bytes) -> bytes:
    if content[:1] != FORMAT:
        raise StoreError(
            f"history holds an entry of format {content[:1].hex() or 'none'}, which this version cannot read: update alertd"
        )
    try:
        return zlib.decompressobj(_WINDOW_BITS, _WORDS).decompress(content[1:])
    except zlib.error as exc:
        raise StoreError(f"history holds a damaged entry ({exc}): restore a backup") from exc


class _Packer:
    """Packs an entry's values, each only once: a run's GUID and instants stand in several properties."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._known: dict[object, object] = {}

    def packed(self, value: object) -> object:
        kind = type(value)
        if kind is datetime or kind is str:
            if value not in self._known:
                self._known[value] = self._text(value) if isinstance(value, str) else self._instant(value)
            return self._known[value]
        return sealed(value)

    def _text(self, value: str) -> object:
        if len(value) == _GUID_LENGTH and _GUID.fullmatch(value):
            return Ext(GUID, bytes.fromhex(value.replace("-", "")))
        return value

    def _instant(self, value: Any) -> object:  # noqa: ANN401 - a datetime, which the type checker cannot see here
        """Write the distance to the entry's instant, which is short; whole seconds are shorter still as MessagePack writes them."""
        return value if value.microsecond == 0 else Ext(INSTANT, number_bytes((value - self._at) // _MICROSECOND))


def _unpacked(value: object, at: datetime) -> object:
    if type(value) is not Ext:
        return value
    content = bytes(value.data)
    if value.code == INSTANT:
        return at + timedelta(microseconds=int.from_bytes(content, "big", signed=True))
    return unsealed(value.code, content)


def _said(facts: Facts, packer: _Packer) -> dict[int | str, object]:
    """Name only the facts that are not what they are by default."""
    said: dict[int | str, object] = {}
    for number, name, unsaid in _FACTS:
        value = getattr(facts, name)
        if value != unsaid:
            said[number] = packer.packed(value)
    if facts.instants:
        said[_INSTANTS] = {
            path: [(packer.packed(value), packer.packed(at)) for value, at in became]
            for path, became in facts.instants.items()
        }
    return said


def _facts(said: Mapping[int | str, Any], at: datetime) -> Facts:
    named = {FACTS[key] if isinstance(key, int) else key: _unpacked(value, at) for key, value in said.items()}
    if "instants" in named:
        instants: Any = named["instants"]
        named["instants"] = {
            path: tuple((_unpacked(value, at), _unpacked(when, at)) for value, when in became)
            for path, became in instants.items()
        }
    return Facts(**named)  # type: ignore[arg-type] # checked when they were written
