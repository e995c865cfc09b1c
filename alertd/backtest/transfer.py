"""History on its way out of a store and into another one. Streaming: nothing holds all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime

import attrs

from alertd.backtest.archive import Archived, Header, header_line, line_of, read_header, read_line
from alertd.errors import ConfigError, Problem, UsageError
from alertd.store.port import Reader, Store, Transaction
from alertd.store.values import HistoryEntry, JobRecord, PrincipalRecord, ReadingChange, RoundEntry, TenantRecord

_AT_ONCE = 5_000  # lines between two writes: some megabytes

ReportTime = Callable[[datetime], None]  # the instant of what was written last
ReportLines = Callable[[int], None]  # bytes read so far


async def exported(
    reader: Reader, *, since: datetime | None, now: datetime, report: ReportTime = lambda _at: None
) -> AsyncIterator[bytes]:
    """Give the lines of an archive, each with its end: tenants and what belongs to them first, then every snapshot in order of time."""
    yield header_line(Header(exported_at=now, since=since)) + b"\n"
    for tenant in await reader.tenants():
        async for value in _of_tenant(reader, tenant, since):
            yield line_of(value) + b"\n"
    async for entry in reader.history(since=since):
        yield line_of(entry) + b"\n"
        report(entry.at)


async def _of_tenant(reader: Reader, tenant: TenantRecord, since: datetime | None) -> AsyncIterator[Archived]:
    yield tenant
    for principal in await reader.principals(tenant.key):
        yield principal
    for job in await reader.jobs(tenant.key):
        yield job
    for closed in await reader.rounds(tenant.key, since=since):
        yield closed
    for change in _needed(await reader.reading_changes(tenant.key), since):
        yield change


def _needed(changes: Iterable[ReadingChange], since: datetime | None) -> Iterator[ReadingChange]:
    """Leave out runs of readings that had ended by then: each principal's last one still says how it stood."""
    latest: dict[str, ReadingChange] = {}
    later: list[ReadingChange] = []
    for change in changes:
        if since is None or change.at > since:
            later.append(change)
        else:
            latest[change.service_principal_id] = change
    yield from latest.values()
    yield from later


@attrs.define
class Imported:
    """How much of each kind an archive brought."""

    tenants: int = 0
    jobs: int = 0
    rounds: int = 0
    snapshots: int = 0


async def import_lines(
    store: Store, lines: Iterable[bytes], name: str, *, report: ReportLines = lambda _bytes: None
) -> Imported:
    """Take an archive into a store, all of it or nothing.

    Raises ConfigError with the line that cannot be read, and UsageError where the store knows one of its tenants already.
    """
    imported, size = Imported(), 0
    async with store.transaction() as transaction:
        waiting: list[Archived] = []
        for number, line in enumerate(lines, start=1):
            size += len(line)
            value = _read(line, number, name)
            if isinstance(value, TenantRecord):
                await _refuse_known(transaction, value)
            if value is not None:
                waiting.append(value)
            if len(waiting) >= _AT_ONCE:
                await _write(transaction, waiting, imported)
                waiting.clear()
                report(size)
        if size == 0:
            raise ConfigError(
                [Problem(file=name, found="an empty file", expected="an archive of `alertd history export`")]
            )
        await _write(transaction, waiting, imported)
    report(size)
    return imported


def _read(line: bytes, number: int, name: str) -> Archived | None:
    """Give the value of a line; None for the header and for an empty line."""
    try:
        if number == 1:
            read_header(line)
            return None
        return read_line(line) if line.strip() else None
    except ValueError as exc:
        raise ConfigError([Problem(file=name, line=number, found=str(exc))]) from exc


async def _refuse_known(transaction: Transaction, tenant: TenantRecord) -> None:
    if await transaction.tenant(tenant.key) is not None:
        raise UsageError(
            f"the store already holds tenant {tenant.name} ({tenant.key}): two histories of one tenant cannot be told apart; "
            "name another store in the configuration, such as store: sqlite:///laptop.db"
        )


async def _write(transaction: Transaction, values: Iterable[Archived], imported: Imported) -> None:
    known = list(values)
    for value in known:
        if isinstance(value, TenantRecord):
            await transaction.save_tenant(value)
            imported.tenants += 1
        elif isinstance(value, RoundEntry):
            await transaction.append_round(value)
            imported.rounds += 1
    jobs = [value for value in known if isinstance(value, JobRecord)]
    entries = [value for value in known if isinstance(value, HistoryEntry)]
    await transaction.save_principals(value for value in known if isinstance(value, PrincipalRecord))
    await transaction.save_jobs(jobs)
    await transaction.append_reading_changes(value for value in known if isinstance(value, ReadingChange))
    await transaction.append_history(entries)
    imported.jobs += len(jobs)
    imported.snapshots += len(entries)
