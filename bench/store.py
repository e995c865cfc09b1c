"""The store: saving changed jobs with their history and reading them back, beside bare sqlite3 with the very same rows."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from alertd.store.rows import history_row, job_row
from alertd.store.sql import SqlStore
from bench.contest import compete
from bench.progress import Progress
from bench.records import TENANT, Changed, principals_of_slices, runs, slices
from bench.result import Figure, Result, lines_of

_SAVE_OURS, _SAVE_BARE = "alertd: save", "sqlite3: save"
_READ_OURS, _READ_BARE = "alertd: read", "sqlite3: read"


def store(jobs: int, rounds: int, progress: Progress) -> Result:
    """Save and read."""
    saving = compete({_SAVE_OURS: partial(Saving, jobs), _SAVE_BARE: partial(BareSaving, jobs)}, rounds, progress)
    reading = compete({_READ_OURS: partial(Reading, jobs), _READ_BARE: partial(BareReading, jobs)}, rounds, progress)
    return Result(
        name="store",
        sizes={"jobs": jobs, "rounds": rounds},
        thing="job",
        lines=lines_of(saving) | lines_of(reading),
        figures=(
            Figure(what=f"CPU, {_SAVE_OURS} : {_SAVE_BARE}", value=saving.ratio(_SAVE_OURS, _SAVE_BARE), unit="x"),
            Figure(what=f"CPU, {_READ_OURS} : {_READ_BARE}", value=reading.ratio(_READ_OURS, _READ_BARE), unit="x"),
            Figure(
                what="disk for one changed snapshot of history",
                value=asyncio.run(_disk(jobs)),
                unit="B",
                budget=150,
            ),
        ),
        notes=(
            "sqlite3 is handed rows that are encoded already and gives them back so; same journal, synchronous=FULL, slices of a thousand.",
            "A changed snapshot is a run that ended: eight properties. Its row, index and page overhead count.",
        ),
    )


async def _disk(jobs: int) -> float:
    """Give the bytes by which the file grows for one changed snapshot, over as many as make pages even out."""
    turns = 5
    saving = Saving(jobs)
    await saving.prepare()
    before = await saving.store.size_bytes()
    for _ in range(turns):
        await saving.turn()
    grown = await saving.store.size_bytes() - before
    await saving.close()
    return round(grown / (turns * jobs), 1)


class Saving:
    """alertd's store: jobs and history, a transaction a slice."""

    store: SqlStore

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._folder = tempfile.TemporaryDirectory(prefix="alertd-bench-")
        self._runs: Iterator[Changed] = iter(())

    async def prepare(self) -> None:
        """Make the file, with every job in it."""
        self.store = await SqlStore.open(Path(self._folder.name) / "alertd.db")
        first, *others = runs(self._jobs)
        self._runs = itertools.cycle(others)
        for changed in (first, *others):
            await self._save(changed)

    async def turn(self) -> int:
        """Save a run of every job."""
        return await self._save(next(self._runs))

    async def _save(self, changed: Changed) -> int:
        for made, history in slices(changed):
            async with self.store.transaction() as transaction:
                await transaction.save_jobs(made)
                await transaction.append_history(history)
        return self._jobs

    async def close(self) -> None:
        """Forget the file."""
        await self.store.close()
        self._folder.cleanup()


class Reading(Saving):
    """alertd's store: every job, a slice at a time."""

    async def turn(self) -> int:
        """Read every job."""
        read = 0
        for ids in principals_of_slices(self._jobs):
            async with self.store.reading() as reader:
                read += len(await reader.jobs(TENANT, ids))
        return read


_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE jobs (tenant_key TEXT, service_principal_id TEXT, job_id TEXT, content BLOB,
    PRIMARY KEY (tenant_key, service_principal_id, job_id));
CREATE TABLE history (id INTEGER PRIMARY KEY, job INTEGER, sequence INTEGER, kind INTEGER, content BLOB);
CREATE INDEX history_of_job ON history (job);
"""
_SAVE_JOB = "INSERT INTO jobs VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET content = excluded.content"
_ADD_ENTRY = "INSERT INTO history (job, sequence, kind, content) VALUES (?, ?, ?, ?)"

_Rows = list[tuple[Any, ...]]


class BareSaving:
    """sqlite3 alone: rows made beforehand, a transaction a slice."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._folder = tempfile.TemporaryDirectory(prefix="alertd-bench-")
        self._runs: Iterator[list[tuple[_Rows, _Rows]]] = iter(())
        self.file = sqlite3.connect(Path(self._folder.name) / "bare.db", isolation_level=None)

    async def prepare(self) -> None:
        """Make the file, with every job in it."""
        self.file.executescript(_TABLES)
        first, *others = [[_rows(part) for part in slices(changed)] for changed in runs(self._jobs)]
        self._runs = itertools.cycle(others)
        for made in (first, *others):
            self._save(made)

    async def turn(self) -> int:
        """Save a run of every job."""
        return self._save(next(self._runs))

    def _save(self, made: list[tuple[_Rows, _Rows]]) -> int:
        for jobs, history in made:
            self.file.execute("BEGIN IMMEDIATE")
            self.file.executemany(_SAVE_JOB, jobs)
            self.file.executemany(_ADD_ENTRY, history)
            self.file.execute("COMMIT")
        return self._jobs

    async def close(self) -> None:
        """Forget the file."""
        self.file.close()
        self._folder.cleanup()


class BareReading(BareSaving):
    """sqlite3 alone: every row, a slice at a time."""

    async def turn(self) -> int:
        """Read every row."""
        read = 0
        for ids in principals_of_slices(self._jobs):
            marks = ", ".join("?" * len(ids))
            query = f"SELECT content FROM jobs WHERE tenant_key = ? AND service_principal_id IN ({marks})"  # noqa: S608 - marks
            read += len(self.file.execute(query, (TENANT, *ids)).fetchall())
        return read


def _rows(part: Changed) -> tuple[_Rows, _Rows]:
    made, history = part
    entries = [history_row(entry, number, number) for number, entry in enumerate(history)]
    return (
        [tuple(job_row(record).values()) for record in made],
        [(row["job"], row["sequence"], row["kind"], row["content"]) for row in entries],
    )
