"""Alembic's entry: runs migrations on the connection it is given, each in a transaction of its own, DDL included."""

from __future__ import annotations

from alembic import context

from alertd.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,  # Alembic takes SQLite for unable to; with explicit BEGINs it is able
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
