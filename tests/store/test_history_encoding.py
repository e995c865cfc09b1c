"""History's entries: small, and readable for as long as somebody keeps them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest

from alertd.diff import apply, diff
from alertd.errors import StoreError
from alertd.model.change import Change
from alertd.model.facts import Facts
from alertd.model.resources import NamedValues, SynchronizationJob
from alertd.store.history_encoding import FACTS, PATHS, decode_entry, encode_entry
from alertd.store.sql import SqlStore

OTHER_RUN = "9b2d6c51-6f1e-4a0e-b3b5-3d9e2f7a6c44"

GOLDEN_AT = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
GOLDEN_CHANGES = (
    Change("status.code", "Active", "Quarantine"),
    Change("status.lastExecution.activityIdentifier", None, OTHER_RUN),
    Change("status.lastExecution.timeEnded", GOLDEN_AT.replace(microsecond=0), GOLDEN_AT + timedelta(microseconds=7)),
    Change("job.schedule.interval", timedelta(minutes=40), None),
    Change('job.settings["Domain"]', "contoso.com", None),
)
GOLDEN = (
    "019b3cdf601984bf0a91e8190edc609ead9b13982fe7c5b779abed3cfdaa1c17fe6bff33a36b275c61617738cecac8d0cf2b"
    "c170601b6a69e8929f9b9899a714bb3a393faf0458ca82cad803cd0c4c4c98a6319fb67fc00006ad8b32539602cdd1355c01"
    "cb5007964152f2815db8b3d38155885cb7a43839331700"
)


@pytest.fixture
def typical(make: Any) -> list[Change]:
    """Five properties of a run that ended: what changes most often."""
    return [
        Change("status.lastExecution.activityIdentifier", "4f1e6f0a-4a2c-4d68-9a58-0c6d3d8f1b10", OTHER_RUN),
        Change("status.lastExecution.timeBegan", make.at(-42.123), make.at(-2.321)),
        Change("status.lastExecution.timeEnded", make.at(-41.77), make.at(-1.45)),
        Change("status.lastExecution.countExported", 3, 12),
        Change("status.steadyStateLastAchievedTime", make.at(-41.77), make.at(-1.45)),
    ]


def test_a_typical_change_is_small(make: Any, typical: list[Change]) -> None:
    """150 bytes are allowed to a changed snapshot; its row and index take 33 of them, its share of a whole entry 10."""
    facts = Facts(lastRun=OTHER_RUN, escrowRatio=0.0, expectedRunAt=make.at(38.55))

    assert len(encode_entry(make.entry(changes=tuple(typical)))) <= 90
    assert len(encode_entry(make.entry(changes=tuple(typical), facts=facts))) <= 107


@pytest.mark.anyio
async def test_a_changed_snapshot_takes_150_bytes_of_disk(database: Path, make: Any, typical: list[Change]) -> None:
    """Everything counted that a file of history consists of, a whole entry every 50th time included."""
    store, jobs, rounds = await SqlStore.open(database), 400, 60
    full, facts = make.snapshot(), Facts(lastRun=OTHER_RUN, escrowRatio=0.0, expectedRunAt=make.at(38.55))
    async with store.transaction() as transaction:
        before = await store.size_bytes()
        for number in range(1, rounds + 1):
            whole = number == 1 or number % 50 == 0
            given = {"full": full} if whole else {"changes": tuple(typical), "facts": facts}
            await transaction.append_history(
                make.entry(number, 5 * number, f"job-{job}", **given) for job in range(jobs)
            )
    size = await store.size_bytes()
    await store.close()

    assert (size - before) / (jobs * rounds) <= 150
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM history").fetchone() == (jobs * rounds,)
    connection.close()


def test_what_an_earlier_version_wrote_is_read() -> None:
    """Numbers of paths and facts, the dictionary and the format are what stored rows are read with: they never change."""
    content = bytes.fromhex(GOLDEN)

    changes, facts, full = decode_entry(content, GOLDEN_AT)

    assert changes == GOLDEN_CHANGES
    assert facts == Facts(failureStreak=2, lastRun=OTHER_RUN, escrowRatio=0.5)
    assert full == SynchronizationJob(id="job-1", templateId="scim")


def test_every_path_that_a_diff_gives_has_a_number(make: Any) -> None:
    """But for maps, whose keys are Graph's; one without a number is stored all the same, as text."""
    filled = _filled(SynchronizationJob)
    emptied = SynchronizationJob(id="job-1")

    paths = {change.path for change in diff(emptied, filled)}

    assert {path for path in paths if "[" not in path} == set(PATHS)
    assert len(PATHS) == len(set(PATHS)) < 128
    entry = make.entry(changes=diff(emptied, filled))
    assert apply(emptied, decode_entry(encode_entry(entry), entry.at)[0]) == filled


def test_every_fact_has_a_number() -> None:
    assert [field.name for field in attrs.fields(Facts)] == list(FACTS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "format none", id="nothing"),
        pytest.param(b"\x09abc", "format 09", id="a format of the future"),
        pytest.param(b"\x01\xff\xff\xff", "damaged", id="not deflated"),
        pytest.param(b"\x01\x63\x00\x00", "cannot read", id="deflated, but no entry"),
    ],
)
def test_what_cannot_be_read_is_a_store_error(make: Any, content: bytes, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        decode_entry(content, make.at(0))


def test_a_number_beyond_64_bits_is_a_store_error(make: Any) -> None:
    with pytest.raises(StoreError, match="cannot be stored"):
        encode_entry(make.entry(changes=(Change("status.lastExecution.countExported", 1, 2**70),)))


def _filled(kind: Any) -> Any:
    """A resource with something in every property."""

    def value(hint: Any) -> Any:
        held = next((part for part in get_args(hint) if part is not type(None)), hint)
        if getattr(held, "__origin__", None) is tuple:
            return (_filled(get_args(held)[0]),)
        if isinstance(held, type) and issubclass(held, NamedValues):
            return held({"key": 1 if held.__name__ == "EntryCounts" else "text"})
        if attrs.has(held):
            return _filled(held)
        plain = {str: "text", int: 7, bool: True, timedelta: timedelta(minutes=40)}
        return plain.get(held) or GOLDEN_AT

    return kind(**{name: "job-1" if name == "id" else value(hint) for name, hint in get_type_hints(kind).items()})
