"""Many rows written at once, in whichever way the driver takes their parameters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, select

from alertd.errors import StoreError
from alertd.store import queries
from alertd.store.failures import own_errors
from alertd.store.statements import ROWS_AT_ONCE, change_each, rows
from alertd.store.tables import alerts, jobs, metadata, reading_changes

AT = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["qmark", "named"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A database whose driver takes parameters by their place, and one whose driver takes them by name."""
    engine = create_engine("sqlite://", paramstyle=request.param)
    with engine.connect() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def job(number: int, **other: Any) -> dict[str, Any]:
    """Names stand in another order than the table's columns."""
    return other | {"job_id": f"j{number}", "service_principal_id": "p", "tenant_key": "t"}


def test_values_come_to_their_columns(connection: Connection) -> None:
    change_each(connection, queries.SAVE_JOB, range(3), lambda number: job(number, content=b"%d" % number))
    change_each(connection, queries.SAVE_JOB, [1], lambda number: job(number, content=b"saved anew"))
    change_each(connection, queries.DELETE_JOB, [2], job)

    assert rows(connection, select(jobs)) == [("t", "p", "j0", b"0"), ("t", "p", "j1", b"saved anew")]


def test_a_row_may_have_one_value(connection: Connection) -> None:
    alert = {"tenant_key": "t", "service_principal_id": "p", "state": "firing", "content": b""}
    change_each(connection, queries.SAVE_ALERT, ["a", "b"], lambda name: alert | {"fingerprint": name})
    change_each(connection, queries.DELETE_ALERT, ["a"], lambda name: {"fingerprint": name})

    assert rows(connection, select(alerts.c.fingerprint)) == [("b",)]


def test_what_has_to_be_converted_is(connection: Connection) -> None:
    """An instant is a whole number in the database, whatever stands beside it."""
    read = [
        {"tenant_key": "t", "service_principal_id": "p", "at": AT + timedelta(minutes=number), "outcome": "ok"}
        for number in range(2)
    ]

    change_each(connection, queries.ADD_READING_CHANGE, read, dict)

    assert [row.at for row in rows(connection, select(reading_changes))] == [AT, AT + timedelta(minutes=1)]


def test_more_rows_than_go_at_once(connection: Connection) -> None:
    count = ROWS_AT_ONCE + 1

    change_each(connection, queries.SAVE_JOB, range(count), lambda number: job(number, content=b""))
    change_each(connection, queries.SAVE_JOB, [], job)

    assert len(rows(connection, select(jobs))) == count


def test_what_a_column_refuses_is_a_store_error(connection: Connection) -> None:
    with pytest.raises(StoreError, match="NOT NULL"), own_errors():
        change_each(connection, queries.SAVE_JOB, [1], lambda number: job(number, content=None))
