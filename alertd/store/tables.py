"""The tables: columns for what is compared or queried, and `content`, the value itself in MessagePack.

Instants are whole microseconds since 1970 in UTC, so they sort, compare and come back exactly, on every database alike.

What history costs is counted in bytes per changed snapshot, so its keys stand once each: a job's name in `history_jobs`, and tenant and
instant of a slice's entries in `history_batches`. An entry's id is its batch's times 65,536 plus its place in the batch: it leads to the
batch without a column and an index of its own (32 bytes a row in all; with columns and two plain indexes it was 68).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect

from alertd.model.notification import DeliveryState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BATCH_ROOM = 65_536  # places in a batch of history

WAITING = (DeliveryState.PENDING, DeliveryState.UNKNOWN)
ENTRY_CHANGED, ENTRY_FULL, ENTRY_GONE = range(3)  # kinds of history's entries


class Instant(TypeDecorator[datetime]):
    """An aware datetime as whole microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Give what the database stores."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """Give what the database stored."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


# Keys sort by code point, as Python sorts them; SQLite does so by itself.
_Key = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite numbers rows by itself only where the type is spelled INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")


def _key(name: str, *, primary: bool = False) -> Column[str]:
    return Column(name, _Key, primary_key=primary, nullable=False)


def _number(name: str = "id") -> Column[int]:
    return Column(name, _Number, primary_key=True)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _instant(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, Instant, nullable=nullable)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _content(name: str = "content") -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


metadata = MetaData()

tenants = Table("tenants", metadata, _key("key", primary=True), _count("epoch"), _content())

principals = Table(
    "principals", metadata, _key("tenant_key", primary=True), _key("service_principal_id", primary=True), _content()
)

jobs = Table(
    "jobs",
    metadata,
    _key("tenant_key", primary=True),
    _key("service_principal_id", primary=True),
    _key("job_id", primary=True),
    _content(),
)

alerts = Table(
    "alerts",
    metadata,
    _key("fingerprint", primary=True),
    _key("tenant_key"),
    _key("service_principal_id"),
    Column("state", Text, nullable=False),
    _content(),
)
Index("alerts_of_principal", alerts.c.tenant_key, alerts.c.service_principal_id)
Index("alerts_in_state", alerts.c.state)

alert_groups = Table(
    "alert_groups",
    metadata,
    _key("group_key", primary=True),
    Column("fingerprint", _Key, ForeignKey("alerts.fingerprint", ondelete="CASCADE"), primary_key=True),
)
Index("alert_groups_of_alert", alert_groups.c.fingerprint)

events = Table(
    "events", metadata, _key("group_key", primary=True), _key("key", primary=True), _instant("at"), _content()
)

silences = Table(
    "silences",
    metadata,
    _key("id", primary=True),
    _instant("starts_at"),
    _instant("ends_at", nullable=True),
    _content(),
)
Index("silences_ending", silences.c.ends_at)

groups = Table("groups", metadata, _key("key", primary=True), _count("sequence"), _instant("due_at"), _content())
Index("groups_due", groups.c.due_at)

conversations = Table(
    "conversations",
    metadata,
    _key("id", primary=True),
    _key("group_key"),
    _key("integration_id"),
    _count("sequence"),
    _content(),
)
Index("conversations_in_group", conversations.c.group_key, conversations.c.integration_id)

told = Table(
    "told",
    metadata,
    Column("conversation_id", _Key, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    _key("fingerprint", primary=True),
    Column("episode", BigInteger, primary_key=True),
    _key("integration_id"),
    _count("position"),
    _instant("at"),
    _flag("absent"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _key("id", primary=True),
    _key("conversation_id"),
    _count("sequence"),
    _key("integration_id"),
    Column("state", Text, nullable=False),
    _instant("decided_at"),
    _instant("due_at"),
    _instant("leased_until", nullable=True),
    _instant("ended_at", nullable=True),
    _content(),
    UniqueConstraint("conversation_id", "sequence", name="deliveries_outbox"),
)
# Rows that have ended are many and never due: the partial indexes hold the few that are not.
_waiting = deliveries.c.state.in_([state.value for state in WAITING])
_sending = deliveries.c.state == DeliveryState.SENDING.value
Index("deliveries_due", deliveries.c.due_at, sqlite_where=_waiting, postgresql_where=_waiting)
Index("deliveries_sending", deliveries.c.id, sqlite_where=_sending, postgresql_where=_sending)
Index("deliveries_decided", deliveries.c.decided_at)
Index("deliveries_of_integration", deliveries.c.integration_id, deliveries.c.decided_at)
Index("deliveries_ended", deliveries.c.ended_at)

digests = Table(
    "digests",
    metadata,
    _key("key", primary=True),
    _count("sequence"),
    _instant("since"),
    _instant("due_at", nullable=True),
)

# Failures are counted when they happen: counting rows would forget those that retention has deleted.
integrations = Table("integrations", metadata, _key("id", primary=True), _count("failed"))

history_jobs = Table(
    "history_jobs",
    metadata,
    _number(),
    _key("tenant_key"),
    _key("service_principal_id"),
    _key("job_id"),
    UniqueConstraint("tenant_key", "service_principal_id", "job_id", name="history_jobs_key"),
)

Index("history_jobs_by_id", history_jobs.c.job_id)

history_batches = Table("history_batches", metadata, _number(), _key("tenant_key"), _instant("at"))
Index("history_batches_at", history_batches.c.at)
Index("history_batches_of_tenant", history_batches.c.tenant_key, history_batches.c.at)

history = Table(
    "history",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=False),
    Column("job", _Number, ForeignKey("history_jobs.id"), nullable=False),
    _count("sequence"),
    Column("kind", Integer, nullable=False),
    _content(),
)
Index("history_of_job", history.c.job)

rounds = Table(
    "rounds",
    metadata,
    _number(),
    _key("tenant_key"),
    _instant("at"),
    _count("asked"),
    _count("ok"),
    _count("failed"),
    _count("jobs"),
    Column("error", Text),
    _count("rested"),
    _count("unanswered"),
    _count("waiting"),
    _count("requests"),
    _count("throttled"),
    _count("repeated"),
)
Index("rounds_of_tenant", rounds.c.tenant_key, rounds.c.at)
Index("rounds_at", rounds.c.at)

reading_changes = Table(
    "reading_changes",
    metadata,
    _number(),
    _key("tenant_key"),
    _key("service_principal_id"),
    _instant("at"),
    Column("outcome", Text, nullable=False),
)
Index("reading_changes_of_tenant", reading_changes.c.tenant_key, reading_changes.c.at)
Index("reading_changes_of_principal", reading_changes.c.tenant_key, reading_changes.c.service_principal_id)

transitions = Table(
    "transitions",
    metadata,
    _number(),
    _key("fingerprint"),
    _key("rule"),
    _key("tenant_key"),
    _key("service_principal_id"),
    _key("job_id"),
    _instant("at"),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    _count("episode"),
    Column("detail", Text, nullable=False),
)
Index("transitions_of_alert", transitions.c.fingerprint, transitions.c.at)
Index("transitions_at", transitions.c.at)

log = Table(
    "log",
    metadata,
    _number(),
    _instant("at"),
    _key("group_key"),
    Column("receiver", Text, nullable=False),
    _key("integration_id"),
    _key("conversation_id"),
    _key("delivery_id"),
    Column("reason", Text),
    Column("withheld", Text),
    _content("alerts"),
)
Index("log_of_group", log.c.group_key, log.c.at)
Index("log_at", log.c.at)

log_alerts = Table(
    "log_alerts",
    metadata,
    _key("fingerprint", primary=True),
    Column("log_id", _Number, ForeignKey("log.id", ondelete="CASCADE"), primary_key=True),
)
Index("log_alerts_of_log", log_alerts.c.log_id)
