"""SQLite in particular: what the file holds after failures and kills, who may write, and that every question has its index."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from alertd.errors import StoreError
from alertd.store import queries
from alertd.store.sql import SqlStore
from alertd.store.statements import change

pytestmark = pytest.mark.anyio


async def fill(store: SqlStore, make: Any) -> None:
    async with store.transaction() as transaction:
        await transaction.save_tenant(make.tenant())
        await transaction.save_jobs([make.job(f"job-{n}") for n in range(3)])
        await transaction.save_alerts([(make.alert(), ["g"])])
        await transaction.save_conversation(make.conversation())
        await transaction.append_history(make.chain(["Active", "Paused"]))
        await transaction.append_log([make.decision()])


async def seen(store: SqlStore, everything: Any) -> Any:
    async with store.reading() as reader:
        return await everything(reader)


async def write(store: SqlStore, make: Any) -> None:
    """Write with one, many and returning statements."""
    async with store.transaction() as transaction:
        await transaction.save_tenant(make.tenant(epoch=1), expected_epoch=0)
        await transaction.save_jobs([make.job(f"job-{n}", absent=1) for n in range(5)])
        await transaction.save_alerts([(make.alert(episode=2), ["g", "h"])])
        await transaction.save_conversation(make.conversation(told=()))
        await transaction.save_delivery(make.delivery())
        await transaction.append_history(make.chain(["Active", "gone"], "job-2", start=20))
        await transaction.append_log([make.decision(20), make.decision(21)])
        await transaction.prune(make.at(6))


async def test_whichever_statement_fails_all_is_as_before(sql_store: SqlStore, make: Any, everything: Any) -> None:
    await fill(sql_store, make)
    before, failed = await seen(sql_store, everything), 0

    while await _fails_at(sql_store, failed + 1, lambda: write(sql_store, make)):
        failed += 1
        assert await seen(sql_store, everything) == before

    assert failed > 20
    assert await seen(sql_store, everything) != before


async def _fails_at(store: SqlStore, number: int, work: Callable[[], Any]) -> bool:
    """Let the statement of this number fail; give whether there was one."""
    count = 0

    def fail(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        nonlocal count
        count += statement != "BEGIN IMMEDIATE"
        if count == number:
            raise sqlite3.OperationalError("disk I/O error")

    assert store._writer is not None
    event.listen(store._writer, "before_cursor_execute", fail)
    try:
        await work()
    except StoreError as error:
        return "disk I/O error: look at the disk" in str(error)
    finally:
        event.remove(store._writer, "before_cursor_execute", fail)
    return False


async def test_a_failed_statement_that_is_caught_still_undoes_all(
    sql_store: SqlStore, make: Any, everything: Any
) -> None:
    """Of many rows some may have been written: whoever goes on regardless must not commit half of them."""
    await fill(sql_store, make)
    before = await seen(sql_store, everything)

    with pytest.raises(StoreError, match="rolled back"):
        await _save_regardless(sql_store, make)

    assert await seen(sql_store, everything) == before


async def _save_regardless(store: SqlStore, make: Any) -> None:
    async with store.transaction() as transaction:
        await transaction.save_tenant(make.tenant("new"))
        with pytest.raises(StoreError, match="may not be modified"):
            await transaction._do.run(change, text("UPDATE sqlite_master SET name = 'x'"))  # type: ignore[attr-defined]


async def test_a_full_disk_is_an_error_with_a_cure(sql_store: SqlStore, make: Any, everything: Any) -> None:
    await fill(sql_store, make)
    before = await seen(sql_store, everything)
    assert sql_store._connection is not None
    sql_store._connection.exec_driver_sql("PRAGMA max_page_count = 1")  # the least it can be is what it is
    sql_store._connection.rollback()

    with pytest.raises(StoreError, match=r"full.*free some space"):
        await _save_much(sql_store, make)

    assert await seen(sql_store, everything) == before


async def _save_much(store: SqlStore, make: Any) -> None:
    async with store.transaction() as transaction:
        await transaction.save_jobs(make.job(f"job-{n}") for n in range(2000))


CHILD = """
    import asyncio, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from alertd.store.sql import SqlStore
    from alertd.store.values import RoundEntry, TenantRecord

    async def main():
        store = await SqlStore.open(Path(sys.argv[1]))
        async with store.transaction() as transaction:
            await transaction.save_tenant(TenantRecord(key="committed", name="x"))
        async with store.transaction() as transaction:
            await transaction.save_tenant(TenantRecord(key="not committed", name="x" * 5_000_000))
            at = datetime(2026, 1, 1, tzinfo=UTC)
            for _ in range(600):
                await transaction.append_round(
                    RoundEntry(tenant_key="t", at=at, asked=1, ok=1, failed=0, jobs=1, error="x" * 60_000)
                )
            print("in the middle", flush=True)
            await asyncio.sleep(600)

    asyncio.run(main())
"""


def _kill_in_the_middle(database: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        child.kill()


async def test_a_kill_in_the_middle_leaves_what_was_committed(database: Path, make: Any) -> None:
    """More is written than the cache holds, so that half a transaction really stands in the log."""
    _kill_in_the_middle(database)
    assert database.with_name("alertd.db-wal").stat().st_size > 5_000_000

    store = await SqlStore.open(database)
    async with store.reading() as reader:
        assert [tenant.key for tenant in await reader.tenants()] == ["committed"]
        assert await reader.rounds("t") == ()
    await store.close()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_cancelled_statement_keeps_the_connection(sql_store: SqlStore, make: Any) -> None:
    """Giving it up half-way would leave the one connection that writes in the middle of something."""
    connection = sql_store._connection

    for delay in range(12):
        task = asyncio.create_task(write(sql_store, make))
        for _ in range(delay * 3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await fill(sql_store, make)
    assert sql_store._connection is connection
    assert not connection.invalidated


async def test_the_file_is_set_up_to_lose_nothing(sql_store: SqlStore, database: Path) -> None:
    assert sql_store._connection is not None
    answers = {}
    for name in ("journal_mode", "synchronous", "foreign_keys"):
        answers[name] = sql_store._connection.exec_driver_sql(f"PRAGMA {name}").scalar()
    sql_store._connection.rollback()

    assert answers == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_a_view_cannot_write(sql_store: SqlStore) -> None:
    async with sql_store.reading() as reader:
        with pytest.raises(StoreError, match="readonly"):
            await reader._do.run(change, queries.PRUNE_LOG, {"before": None})  # type: ignore[attr-defined]


async def test_a_second_writer_waits_and_is_refused(sql_store: SqlStore, database: Path, monkeypatch: Any) -> None:
    """The lock file keeps other processes away; if one comes all the same, nothing is mixed."""
    from alertd.store import sqlite

    monkeypatch.setattr(sqlite, "_WAIT_SECONDS", 0.05)
    second = await SqlStore.open(database)
    async with sql_store.transaction() as transaction:
        await transaction.tenants()
        with pytest.raises(StoreError, match="another process holds the store"):
            await _open_transaction(second)
    await second.close()


async def _open_transaction(store: SqlStore) -> None:
    async with store.transaction() as transaction:
        await transaction.tenants()


async def test_size_falls_with_what_is_deleted(sql_store: SqlStore, make: Any) -> None:
    """It is what `history.max_size` is compared with: room that can be used anew is not occupied."""
    async with sql_store.transaction() as transaction:
        empty = await sql_store.size_bytes()
        await transaction.append_history(make.entry(job=f"job-{n}", full=make.snapshot()) for n in range(500))
        await transaction.append_history(make.entry(2, 5, f"job-{n}", gone=True) for n in range(500))
    full = await sql_store.size_bytes()
    async with sql_store.transaction() as transaction:
        await transaction.prune(make.at(100))
    pruned = await sql_store.size_bytes()

    assert full > empty + 100_000
    assert pruned < empty + 50_000


async def test_a_closed_store_leaves_one_file(database: Path, make: Any) -> None:
    store = await SqlStore.open(database)
    await fill(store, make)
    async with store.reading() as reader:
        await reader.tenants()
    await store.close()
    await store.close()

    assert [path.name for path in database.parent.iterdir()] == ["alertd.db"]


async def test_a_reading_store_sees_what_a_writing_one_commits(sql_store: SqlStore, database: Path, make: Any) -> None:
    reading = await SqlStore.open_read_only(database)
    await fill(sql_store, make)

    async with reading.reading() as reader:
        assert len(await reader.tenants()) == 1
    with pytest.raises(StoreError, match="opened to read"):
        await _open_transaction(reading)
    assert await reading.size_bytes() > 0
    await reading.close()


async def test_a_reading_store_needs_no_writing_one(database: Path) -> None:
    reading = await SqlStore.open_read_only(database)
    async with reading.reading() as reader:
        assert await reader.tenants() == ()
    await reading.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everything")
async def test_a_file_that_may_not_be_written_is_an_error_with_a_cure(database: Path) -> None:
    os.chmod(database, 0o400)  # noqa: PTH101 - pathlib's would block just as long

    with pytest.raises(StoreError, match="write to the file"):
        await SqlStore.open(database)


AT = datetime(2026, 1, 5, 9, 5, tzinfo=UTC)

# Every question but whole listings, as the port asks it.
QUESTIONS = {
    "tenant": lambda t: t.tenant("k"),
    "principals": lambda t: t.principals("k"),
    "jobs": lambda t: t.jobs("k"),
    "jobs of principals": lambda t: t.jobs("k", ["a", "b"]),
    "alerts of a tenant": lambda t: t.alerts(tenant_key="k"),
    "alerts of principals": lambda t: t.alerts_of("k", ["a", "b"]),
    "alerts in a group": lambda t: t.alerts_in("g"),
    "groups of an alert": lambda t: t.groups_of("f"),
    "firing alerts": lambda t: t.firing_alerts(),
    "events": lambda t: t.events_in("g"),
    "group": lambda t: t.group("g"),
    "due groups": lambda t: t.due_groups(AT, 10),
    "next group due": lambda t: t.next_group_due(),
    "conversation": lambda t: t.conversation("talk-1"),
    "conversations in a group": lambda t: t.conversations_in("route:contoso"),
    "delivery": lambda t: t.delivery("d"),
    "due deliveries": lambda t: t.due_deliveries(AT, 10),
    "next delivery due": lambda t: t.next_delivery_due(),
    "first deliveries": lambda t: t.first_deliveries(),
    "deliveries": lambda t: t.deliveries(),
    "deliveries of an integration": lambda t: t.deliveries(integration_id="i"),
    "recovered deliveries": lambda t: t.recover_deliveries(AT),
    "hastened deliveries": lambda t: t.hasten("i", AT),
    "history since": lambda t: _drained(t.history(since=AT)),
    "history of a tenant": lambda t: _drained(t.history(tenant_key="k")),
    "history of a job": lambda t: _drained(t.history(job_id="job-1")),
    "history of a job of a tenant since": lambda t: _drained(t.history(tenant_key="k", job_id="job-1", since=AT)),
    "rounds": lambda t: t.rounds("k", since=AT),
    "reading changes": lambda t: t.reading_changes("k", since=AT),
    "transitions of an alert": lambda t: t.transitions(fingerprint="f"),
    "transitions since": lambda t: t.transitions(since=AT),
    "decisions of a group": lambda t: t.log(group_key="g"),
    "decisions of an alert": lambda t: t.log(fingerprint="f1"),
    "decisions since": lambda t: t.log(since=AT),
    "deletion of a group": lambda t: t.delete_group("g"),
    "deletion of a conversation": lambda t: t.delete_conversation("talk-1"),
    "deletion of alerts": lambda t: t.delete_alerts(["f"]),
    "deletion of events": lambda t: t.delete_events("g", ["e"]),
}


async def _drained(entries: Any) -> None:
    async for _ in entries:
        pass


@pytest.mark.parametrize("ask", [pytest.param(ask, id=name) for name, ask in QUESTIONS.items()])
async def test_every_question_is_answered_by_an_index(sql_store: SqlStore, database: Path, make: Any, ask: Any) -> None:
    await fill(sql_store, make)

    steps = await _plan(sql_store, database, ask)

    assert steps
    assert not [step for step in steps if step.startswith("SCAN") and "INDEX" not in step], steps


async def test_history_is_sorted_only_within_an_instant(sql_store: SqlStore, database: Path, make: Any) -> None:
    """Nothing waits for the whole of it: a month of a million jobs is streamed."""
    steps = await _plan(sql_store, database, lambda transaction: _drained(transaction.history(since=make.at(0))))

    assert "history_batches_at" in steps[0]
    assert [step for step in steps if "ORDER BY" in step] == [
        step for step in steps if re.search(r"(RIGHT PART|LAST \d)", step)
    ]


async def _plan(store: SqlStore, database: Path, ask: Callable[[Any], Any]) -> list[str]:
    """Ask, and let SQLite explain each statement that it was asked with."""
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        asked.append((statement, parameters[0] if executemany else parameters))

    assert store._writer is not None
    event.listen(store._writer, "before_cursor_execute", note)
    async with store.transaction() as transaction:
        await ask(transaction)
    event.remove(store._writer, "before_cursor_execute", note)
    with closing(sqlite3.connect(database)) as connection:
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in asked if sql[:5] != "BEGIN"]
        return [row[3] for plan in plans for row in plan]
