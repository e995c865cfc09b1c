"""Digests in the store: how far they have come, sent once however many try; and jobs as they stood before an instant."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from alertd.errors import FencedError
from alertd.store.port import Store
from alertd.store.values import DigestRecord

pytestmark = pytest.mark.anyio
TENANT = "global/11111111-1111-1111-1111-111111111111"


def record(make: Any, key: str = "oncall: 0 9 * * mon UTC", **given: Any) -> DigestRecord:
    return DigestRecord(key=key, **{"since": make.at(0), "due_at": make.at(60)} | given)


async def save(store: Store, saved: DigestRecord, **expected: Any) -> None:
    async with store.transaction() as transaction:
        await transaction.save_digest(saved, **expected)


async def test_what_was_saved_is_given_by_key(store: Store, make: Any) -> None:
    late, early = record(make, "b", due_at=None), record(make, "a")

    await save(store, late)
    await save(store, early)

    async with store.reading() as reader:
        assert await reader.digests() == (early, late)


async def test_who_read_an_older_one_is_fenced_off(store: Store, make: Any) -> None:
    first = record(make)
    await save(store, first)
    sent = attrs.evolve(first, sequence=1, since=make.at(60), due_at=make.at(120))
    await save(store, sent, expected_sequence=0)

    with pytest.raises(FencedError):
        await save(store, attrs.evolve(sent, since=make.at(61)), expected_sequence=0)

    async with store.reading() as reader:
        assert await reader.digests() == (sent,)


async def test_one_that_is_scheduled_no_more_cannot_be_sent(store: Store, make: Any) -> None:
    await save(store, record(make))
    async with store.transaction() as transaction:
        await transaction.delete_digest(record(make).key)

    with pytest.raises(FencedError):
        await save(store, record(make, sequence=1), expected_sequence=0)

    async with store.reading() as reader:
        assert await reader.digests() == ()


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        pytest.param(0, None, id="before there was anything"),
        pytest.param(0.5, "Active", id="after the first"),
        pytest.param(5, "Active", id="at a change's own instant it had not changed"),
        pytest.param(5.5, "Paused", id="after a change"),
        pytest.param(11, "Active", id="after all"),
    ],
)
async def test_a_job_as_it_stood(store: Store, make: Any, minute: float, expected: str | None) -> None:
    async with store.transaction() as transaction:
        await transaction.append_history(make.chain(["Active", "Paused", "Active"]))

    async with store.reading() as reader:
        found = await reader.snapshots_before(TENANT, ["sp-1"], make.at(minute))

    assert [entry.full.status.code for entry in found if entry.full and entry.full.status] == (
        [expected] if expected else []
    )


async def test_only_what_was_asked_for_and_was_there(store: Store, make: Any) -> None:
    """Another principal's job, and one that had gone."""
    other = [attrs.evolve(entry, service_principal_id="sp-9") for entry in make.chain(["Active"], job="job-9")]
    async with store.transaction() as transaction:
        await transaction.append_history(
            [*make.chain(["Active"]), *make.chain(["Active", "gone"], job="job-2"), *other]
        )

    async with store.reading() as reader:
        found = await reader.snapshots_before(TENANT, ["sp-1", "sp-2"], make.at(6))

    assert [entry.job_id for entry in found] == ["job-1"]
