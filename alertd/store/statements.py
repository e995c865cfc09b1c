"""Statements run on a connection, in batches where there are many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Row

Value = TypeVar("Value")

ROWS_AT_ONCE = 1000  # of an insert or a stream: some megabytes at most
KEYS_AT_ONCE = 500  # in one IN list

Parameters = Mapping[str, Any]
Rows = Sequence[Row[Any]]


def rows(connection: Connection, statement: Executable, parameters: Parameters | None = None) -> Rows:
    """Give all rows that a statement finds."""
    return connection.execute(statement, parameters).all()


def values(
    connection: Connection,
    read: Callable[[Row[Any]], Value],
    statement: Executable,
    parameters: Parameters | None = None,
) -> tuple[Value, ...]:
    """Give the values of all rows that a statement finds."""
    return tuple(map(read, connection.execute(statement, parameters)))


def value_of(
    connection: Connection,
    read: Callable[[Row[Any]], Value],
    statement: Executable,
    parameters: Parameters | None = None,
) -> Value | None:
    """Give the value of the first row that a statement finds, or None."""
    row = connection.execute(statement, parameters).first()
    return None if row is None else read(row)


def scalar(connection: Connection, statement: Executable, parameters: Parameters | None = None) -> Any:  # noqa: ANN401
    """Give the first column of the first row that a statement finds, or None."""
    return connection.execute(statement, parameters).scalar()


def change(connection: Connection, statement: Executable, parameters: Parameters | None = None) -> int:
    """Run a statement that writes; give the rows it touched."""
    return connection.execute(statement, parameters).rowcount


def change_each(
    connection: Connection, statement: Executable, items: Iterable[Value], row: Callable[[Value], Parameters]
) -> None:
    """Run a statement that writes with the row of each of these."""
    for batch in batches(items, ROWS_AT_ONCE):
        connection.execute(statement, [row(item) for item in batch])


def batches(items: Iterable[Value], size: int) -> Iterator[tuple[Value, ...]]:
    """Give items in their order, at most `size` at a time."""
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch
