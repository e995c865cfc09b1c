"""Statements run on a connection, in batches where there are many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Dialect, Executable, Integer, LargeBinary, Row, Text
from sqlalchemy.sql.compiler import SQLCompiler

Value = TypeVar("Value")

ROWS_AT_ONCE = 1000  # of an insert or a stream: some megabytes at most
KEYS_AT_ONCE = 500  # in one IN list

Parameters = Mapping[str, Any]
Rows = Sequence[Row[Any]]

_AS_IT_IS = (Integer, LargeBinary, Text)  # types whose values a driver takes as they are


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


def contents(
    connection: Connection,
    decode: Callable[[Any], Value],
    statement: Executable,
    parameters: Parameters | None = None,
) -> tuple[Value, ...]:
    """Give what is made of the one column of a statement, without a Row for each: those cost half as much again as reading does."""
    return tuple(map(decode, connection.execute(statement, parameters).scalars()))


def content_of(
    connection: Connection,
    decode: Callable[[Any], Value],
    statement: Executable,
    parameters: Parameters | None = None,
) -> Value | None:
    """Give what is made of the one column of the first row that a statement finds, or None."""
    found = scalar(connection, statement, parameters)
    return None if found is None else decode(found)


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
    """Run a statement that writes with the row of each of these; all rows give the same parameters.

    What a driver takes as it is, it is given so: SQLAlchemy converts each value of each row, in more than half the time the database needs.
    """
    for batch in batches(items, ROWS_AT_ONCE):
        given = [row(item) for item in batch]
        driven = _driven(statement, connection.dialect, tuple(given[0]))
        if driven is None:
            connection.execute(statement, given)
        else:
            text, places = driven
            connection.exec_driver_sql(text, [tuple(map(parameters.__getitem__, places)) for parameters in given])


@lru_cache(maxsize=256)
def _driven(statement: Executable, dialect: Dialect, names: tuple[str, ...]) -> tuple[str, Sequence[str]] | None:
    """Give a statement as its driver takes it, and the name of the parameter at each place.

    None where parameters go by name, or where one has a type that is converted or a value of its own.
    """
    compiled = cast("SQLCompiler", statement.compile(dialect=dialect, column_keys=list(names)))  # type: ignore[attr-defined]
    plain = all(bind.required and isinstance(bind.type, _AS_IT_IS) for bind in compiled.binds.values())
    return (str(compiled), compiled.positiontup) if plain and compiled.positiontup else None


def batches(items: Iterable[Value], size: int) -> Iterator[tuple[Value, ...]]:
    """Give items in their order, at most `size` at a time."""
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch
