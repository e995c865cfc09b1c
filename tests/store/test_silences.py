"""Silences in the store: by start, those that may still hold something back, and gone once they have been over for long."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from alertd.notify.silences import Episode
from alertd.store.port import Store

pytestmark = pytest.mark.anyio


async def test_what_was_saved_is_given_by_start(store: Store, make: Any) -> None:
    late, early = make.silence("a", starts_at=make.at(5)), make.silence("b", None, episodes=(Episode("f1", 3),))

    async with store.transaction() as transaction:
        await transaction.save_silence(late)
        await transaction.save_silence(early)

    async with store.reading() as reader:
        assert await reader.silences() == (early, late)


async def test_saving_again_replaces(store: Store, make: Any) -> None:
    expired = attrs.evolve(make.silence(), ends_at=make.at(1))
    async with store.transaction() as transaction:
        await transaction.save_silence(make.silence())

    async with store.transaction() as transaction:
        await transaction.save_silence(expired)

    async with store.reading() as reader:
        assert await reader.silences() == (expired,)


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        pytest.param(0, ["a", "b", "c"], id="none has ended"),
        pytest.param(9.99, ["a", "b", "c"], id="just before an end"),
        pytest.param(10, ["b", "c"], id="an end is no longer in it"),
        pytest.param(99, ["c"], id="one without an end stays"),
    ],
)
async def test_those_that_end_after_an_instant(store: Store, make: Any, minute: float, expected: list[str]) -> None:
    async with store.transaction() as transaction:
        for silence in (make.silence("a", 10), make.silence("b", 20), make.silence("c", None)):
            await transaction.save_silence(silence)

        found = await transaction.silences(ending_after=make.at(minute))

    assert [silence.id for silence in found] == expected


async def test_those_that_are_long_over_are_pruned(store: Store, make: Any) -> None:
    async with store.transaction() as transaction:
        for silence in (make.silence("a", 10), make.silence("b", 20), make.silence("c", None)):
            await transaction.save_silence(silence)

        assert await transaction.prune(make.at(20)) == 1
        assert [silence.id for silence in await transaction.silences()] == ["b", "c"]


async def test_a_transaction_that_fails_makes_no_silence(store: Store, make: Any) -> None:
    async def fail() -> None:
        async with store.transaction() as transaction:
            await transaction.save_silence(make.silence())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with store.reading() as reader:
        assert await reader.silences() == ()
