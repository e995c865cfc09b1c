"""Every adapter: a transaction is atomic, isolated, alone, and refused to whoever read something older."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from alertd.errors import FencedError, StoreError
from alertd.model.notification import DeliveryState
from alertd.store.memory import MemoryStore
from alertd.store.port import Store, Transaction

pytestmark = pytest.mark.anyio


class BrokenError(Exception):
    """What breaks in between; `seen` is what stood there by then."""

    seen: Any = None


def script(make: Any) -> list[Callable[[Transaction], Any]]:
    """One write of every kind, on top of `filled`."""
    return [
        lambda t: t.save_tenant(make.tenant(epoch=2), expected_epoch=1),
        lambda t: t.save_principals([make.principal(outcome="ok"), make.principal("sp-2")]),
        lambda t: t.save_jobs([make.job(sequence=2), make.job("job-2")]),
        lambda t: t.delete_jobs([make.job().key]),
        lambda t: t.save_alerts([(make.alert(episode=2), ["h"]), (make.alert("Other"), ["route:contoso"])]),
        lambda t: t.delete_alerts([make.alert().fingerprint]),
        lambda t: t.save_events("route:contoso", [make.event(sequence=9)]),
        lambda t: t.delete_events("route:contoso", [make.event().key]),
        lambda t: t.save_group(make.group(sequence=1), expected_sequence=0),
        lambda t: t.save_group(make.group("second", due=7)),
        lambda t: t.delete_group("route:contoso", expected_sequence=1),
        lambda t: t.save_conversation(make.conversation(told=())),
        lambda t: t.delete_conversation("talk-1"),
        lambda t: t.save_delivery(make.ended("d-1", 3, DeliveryState.FAILED)),
        lambda t: t.save_delivery(make.delivery("d-2")),
        lambda t: t.hasten("oncall/teams/0", make.at(-5)),
        lambda t: t.append_history(make.chain(["Active", "Quarantine"], "job-2", start=20)),
        lambda t: t.append_round(make.round(20)),
        lambda t: t.append_reading_changes([make.reading("server", 20)]),
        lambda t: t.append_transitions([make.transition(20)]),
        lambda t: t.append_log([make.decision(20, "route:contoso", ("f1", "f2"))]),
        lambda t: t.prune(make.at(11)),
    ]


@pytest.fixture
async def filled(store: Store, make: Any) -> Store:
    await fill(store, make)
    return store


async def fill(store: Store, make: Any) -> None:
    async with store.transaction() as transaction:
        await transaction.save_tenant(make.tenant(epoch=1))
        await transaction.save_principals([make.principal()])
        await transaction.save_jobs([make.job()])
        await transaction.save_alerts([(make.alert(), ["route:contoso"])])
        await transaction.save_events("route:contoso", [make.event()])
        await transaction.save_group(make.group())
        await transaction.save_conversation(make.conversation())
        await transaction.save_delivery(make.delivery())
        await transaction.append_history(make.chain(["Active", "Quarantine", "Active"]))
        await transaction.append_round(make.round())
        await transaction.append_reading_changes([make.reading("ok", 0), make.reading("auth", 5)])
        await transaction.append_transitions([make.transition()])
        await transaction.append_log([make.decision(0, "route:contoso")])


async def seen(store: Store, everything: Any) -> Any:
    async with store.reading() as reader:
        return await everything(reader)


async def break_after(store: Store, writes: list[Callable[[Transaction], Any]], everything: Any) -> None:
    async with store.transaction() as transaction:
        for write in writes:
            await write(transaction)
        broken = BrokenError()
        broken.seen = await everything(transaction)
        raise broken


async def test_both_adapters_come_to_the_same(sql_store: Store, make: Any, everything: Any) -> None:
    memory = MemoryStore()
    for store in (memory, sql_store):
        await fill(store, make)
        async with store.transaction() as transaction:
            for write in script(make):
                await write(transaction)

    assert await seen(sql_store, everything) == await seen(memory, everything)


@pytest.mark.parametrize("writes", range(23))
async def test_whatever_breaks_after_any_write_all_is_as_before(
    filled: Store, make: Any, everything: Any, writes: int
) -> None:
    before = await seen(filled, everything)

    with pytest.raises(BrokenError):
        await break_after(filled, script(make)[:writes], everything)

    assert await seen(filled, everything) == before
    async with filled.transaction() as transaction:
        assert await everything(transaction) == before


async def test_what_is_undone_can_be_done_again(filled: Store, make: Any, everything: Any) -> None:
    """Indexes, numbers and counters are as if the broken transaction had never been."""
    with pytest.raises(BrokenError) as raised:
        await break_after(filled, script(make), everything)

    async with filled.transaction() as transaction:
        for write in script(make):
            await write(transaction)

    assert await seen(filled, everything) == raised.value.seen


async def test_a_write_sees_the_writes_before_it(filled: Store, make: Any) -> None:
    async with filled.transaction() as transaction:
        await transaction.save_group(make.group("new", due=-3))

        assert await transaction.next_group_due() == make.at(-3)
        assert await transaction.due_groups(make.at(0), 1) == ("new",)


async def test_what_breaks_while_values_are_made_writes_none_of_them(store: Store, make: Any) -> None:
    """Caught inside, the transaction goes on, and the write has not happened in part."""

    def half() -> Iterator[Any]:
        yield make.job("first")
        raise BrokenError

    async with store.transaction() as transaction:
        with pytest.raises(BrokenError):
            await transaction.save_jobs(half())
        await transaction.save_jobs([make.job("second")])

    async with store.reading() as reader:
        assert [job.job.id for job in await reader.jobs(make.tenant().key)] == ["second"]


async def test_nesting_is_refused(store: Store, make: Any) -> None:
    async with store.transaction() as transaction:
        await transaction.save_group(make.group())
        with pytest.raises(StoreError, match="inside another"):
            async with store.transaction():
                pytest.fail("a transaction was opened inside another one")

    async with store.reading() as reader:
        assert len(await reader.groups()) == 1


async def test_nesting_in_a_task_that_is_waited_for_is_refused_and_does_not_hang(store: Store) -> None:
    async def nested() -> None:
        async with store.transaction():
            pytest.fail("a transaction was opened inside another one")

    async with store.transaction():
        with pytest.raises(StoreError, match="inside another"):
            await asyncio.create_task(nested())


async def test_a_task_started_in_a_transaction_may_write_after_it(store: Store, make: Any) -> None:
    over = asyncio.Event()

    async def later() -> None:
        await over.wait()
        async with store.transaction() as transaction:
            await transaction.save_group(make.group())

    async with store.transaction():
        task = asyncio.create_task(later())
    over.set()
    await task

    async with store.reading() as reader:
        assert len(await reader.groups()) == 1


async def test_transactions_of_many_tasks_run_one_after_the_other(store: Store, make: Any) -> None:
    """Each reads, lets others run, and writes one more: nothing is lost if none ran in between."""
    async with store.transaction() as transaction:
        await transaction.save_tenant(make.tenant(epoch=0))

    async def count() -> None:
        async with store.transaction() as transaction:
            tenant = await transaction.tenant(make.tenant().key)
            assert tenant is not None
            await asyncio.sleep(0)
            await transaction.save_tenant(attrs.evolve(tenant, epoch=tenant.epoch + 1), expected_epoch=tenant.epoch)

    await asyncio.gather(*(count() for _ in range(20)))

    async with store.reading() as reader:
        assert (await reader.tenant(make.tenant().key)).epoch == 20


async def test_a_view_never_sees_half_a_transaction(filled: Store, make: Any, everything: Any) -> None:
    before = await seen(filled, everything)

    async with filled.transaction() as transaction:
        for write in script(make):
            await write(transaction)
            assert await seen(filled, everything) == before
        after = await everything(transaction)

    assert await seen(filled, everything) == after


async def test_a_view_stays_as_it_was_while_others_write(filled: Store, make: Any, everything: Any) -> None:
    async with filled.reading() as reader:
        before = await everything(reader)
        async with filled.transaction() as transaction:
            for write in script(make):
                await write(transaction)

        assert await everything(reader) == before

    assert await seen(filled, everything) != before


async def test_a_view_may_be_opened_inside_a_view(filled: Store, make: Any) -> None:
    async with filled.reading() as outer, filled.reading() as inner, filled.reading() as third:
        assert await outer.groups() == await inner.groups() == await third.groups()


async def test_tasks_may_share_a_view(filled: Store, make: Any) -> None:
    async with filled.reading() as reader:
        answers = await asyncio.gather(*(reader.jobs(make.tenant().key) for _ in range(20)))

    assert answers == [(make.job(),)] * 20


async def test_what_has_ended_is_refused(store: Store) -> None:
    async with store.transaction() as transaction:
        pass
    async with store.reading() as reader:
        entries = reader.history()

    with pytest.raises(StoreError, match="after its end"):
        await transaction.tenants()
    with pytest.raises(StoreError, match="after its end"):
        await reader.groups()
    with pytest.raises(StoreError, match="after its end"):
        await anext(entries)


async def test_closing_waits_for_the_transaction_under_way(store: Store, make: Any) -> None:
    async with store.transaction() as transaction:
        closing = asyncio.create_task(_close_outside(store))
        await asyncio.sleep(0)
        await transaction.save_group(make.group())
    await closing
    await store.close()

    with pytest.raises(StoreError, match="closed"):
        async with store.transaction():
            pytest.fail("a closed store was written")
    with pytest.raises(StoreError, match="closed"):
        async with store.reading():
            pytest.fail("a closed store was read")
    with pytest.raises(StoreError, match="closed"):
        await store.size_bytes()


async def _close_outside(store: Store) -> None:
    """Close as somebody would who has nothing to do with the transaction: in a context of its own."""
    import contextvars

    await asyncio.get_running_loop().create_task(store.close(), context=contextvars.Context())


async def test_a_cancelled_transaction_is_undone(filled: Store, make: Any, everything: Any) -> None:
    before = await seen(filled, everything)
    reached = asyncio.Event()

    async def work() -> None:
        async with filled.transaction() as transaction:
            await transaction.save_group(make.group("new"))
            reached.set()
            for _ in range(1000):
                await transaction.save_jobs([make.job("job-2")])
                await asyncio.sleep(0)

    task = asyncio.create_task(work())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await seen(filled, everything) == before
    async with filled.transaction() as transaction:
        await transaction.save_group(make.group("new"))


FENCED = [
    pytest.param(lambda t, m: t.save_tenant(m.tenant(epoch=9), expected_epoch=0), id="tenant: expected new, is there"),
    pytest.param(lambda t, m: t.save_tenant(m.tenant(epoch=9), expected_epoch=2), id="tenant: another epoch"),
    pytest.param(lambda t, m: t.save_tenant(m.tenant("?"), expected_epoch=1), id="tenant: not there"),
    pytest.param(lambda t, m: t.save_group(m.group(sequence=9), expected_sequence=1), id="group: another sequence"),
    pytest.param(lambda t, m: t.save_group(m.group("?"), expected_sequence=0), id="group: not there any more"),
    pytest.param(lambda t, _: t.delete_group("route:contoso", expected_sequence=1), id="deletion: another sequence"),
    pytest.param(lambda t, _: t.delete_group("?", expected_sequence=0), id="deletion: not there any more"),
]


@pytest.mark.parametrize("write", FENCED)
async def test_a_stale_writer_is_fenced_off_and_changes_nothing(
    filled: Store, make: Any, everything: Any, write: Callable[[Transaction, Any], Any]
) -> None:
    """Also if the error is caught inside and the transaction goes on to its commit."""
    before = await seen(filled, everything)

    async with filled.transaction() as transaction:
        with pytest.raises(FencedError, match="expected"):
            await write(transaction, make)

    assert await seen(filled, everything) == before


async def test_the_expected_epoch_and_sequence_are_taken(store: Store, make: Any) -> None:
    async with store.transaction() as transaction:
        await transaction.save_tenant(make.tenant(epoch=0), expected_epoch=0)
        await transaction.save_tenant(make.tenant(epoch=1), expected_epoch=0)
        await transaction.save_tenant(make.tenant(epoch=5), expected_epoch=1)
        await transaction.save_group(make.group(sequence=3))
        await transaction.save_group(make.group(sequence=4, due=8), expected_sequence=3)
        assert await transaction.next_group_due() == make.at(8)
        await transaction.delete_group("route:contoso", expected_sequence=4)

    async with store.reading() as reader:
        assert (await reader.tenant(make.tenant().key)).epoch == 5
        assert await reader.groups() == ()


async def test_a_place_in_a_conversation_is_taken_once(store: Store, make: Any) -> None:
    """The outbox's key: of two flushes that decided the same message, one is fenced off."""
    async with store.transaction() as transaction:
        await transaction.save_delivery(make.delivery("d-1", conversation_id="talk"))

    with pytest.raises(FencedError, match="place"):
        async with store.transaction() as transaction:
            await transaction.save_delivery(make.delivery("d-2", conversation_id="talk"))

    async with store.reading() as reader:
        assert [row.id for row in await reader.deliveries()] == ["d-1"]
