"""What a round costs in statements: counted, since seconds say little on a busy machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from alertd.model.resources import SynchronizationJob, SynchronizationStatus
from alertd.rehearsal.setting import Setting
from alertd.rules.loader import load_rules
from alertd.rules.shipped import builtin_rules
from alertd.store.sql import SqlStore

from .living import START, WATCHED, Living, answer

pytestmark = pytest.mark.anyio


class Statements:
    """The statements of a store's write connection and views, as they are run."""

    def __init__(self, store: SqlStore) -> None:
        self.run: list[str] = []
        for engine in (store._writer, store._readers):
            event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.run.append(" ".join(statement.split()))

    def taken(self) -> list[str]:
        """Give what was run since the last time."""
        run, self.run = self.run, []
        return run


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = await SqlStore.open(tmp_path / "alertd.db")
    yield store
    await store.close()


def _job(code: str, failures: int = 0) -> SynchronizationJob:
    return SynchronizationJob(
        id="J.1", status=SynchronizationStatus(code=code, countSuccessiveCompleteFailures=failures)
    )


async def _settled(store: SqlStore, principals: int) -> tuple[Living, list[str], datetime]:
    ids = [f"sp-{number:03}" for number in range(principals)]
    living = Living(Setting.of(load_rules(builtin_rules()).rules, None), ids, store=store)
    await living.discover()
    now = START
    for _ in range(3):
        await living.round(dict.fromkeys(ids, answer(_job("Active"))), now)
        await living.line()
        now += timedelta(minutes=5)
    return living, ids, now


@pytest.mark.parametrize("principals", [1, 40, 400])
async def test_a_round_without_news_runs_the_same_few_statements_however_many_jobs_there_are(
    store: SqlStore, principals: int
) -> None:
    """It closes the round, and writes nothing else."""
    living, _ids, now = await _settled(store, principals)
    statements = Statements(store)

    line = await living.rounds.in_line(WATCHED, await living.rounds.begin(WATCHED), everyone=False)
    tally = await living.round(dict.fromkeys(line, answer(_job("Active"))), now)

    run = statements.taken()
    written = sorted(
        one.split()[0] + " " + one.split()[1 if one.startswith("UPDATE") else 2]
        for one in run
        if one.split()[0] in {"INSERT", "UPDATE", "DELETE"}
    )
    assert tally.jobs == principals
    assert not [one for one in run if "FROM principals" in one]
    assert written == ["INSERT rounds", "UPDATE tenants"]
    assert len([one for one in run if one.startswith("SELECT")]) <= 10
    assert len([one for one in run if one.startswith("BEGIN IMMEDIATE")]) <= 2


@pytest.mark.parametrize("principals", [40, 400])
async def test_a_slice_that_changed_takes_a_commit_and_a_batch_for_each_table(store: SqlStore, principals: int) -> None:
    """As many statements for four hundred jobs as for forty."""
    living, ids, now = await _settled(store, principals)
    statements = Statements(store)

    await living.round(dict.fromkeys(ids, answer(_job("Active", failures=1))), now)

    run = statements.taken()
    assert len([one for one in run if one.startswith("INSERT INTO jobs")]) == 1
    assert len([one for one in run if one.startswith("INSERT INTO history ")]) == 1
    assert len([one for one in run if one.startswith("BEGIN IMMEDIATE")]) <= 3
    assert len(run) <= 30
