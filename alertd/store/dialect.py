"""The one seam between databases: the insert that can update instead. Their clauses read alike, their classes differ."""

from __future__ import annotations

from sqlalchemy import Executable, Table
from sqlalchemy.dialects.sqlite import insert


def upsert(table: Table) -> Executable:
    """Insert a row, or give the row of its primary key these values."""
    statement = insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)


def insert_new(table: Table) -> Executable:
    """Insert a row unless one of its key stands there."""
    return insert(table).on_conflict_do_nothing()
