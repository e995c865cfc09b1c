"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()  # microseconds since 1970


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "alerts",
        sa.Column("fingerprint", KEY, nullable=False),
        sa.Column("tenant_key", KEY, nullable=False),
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
    )
    op.create_index("alerts_in_state", "alerts", ["state"])
    op.create_index("alerts_of_principal", "alerts", ["tenant_key", "service_principal_id"])
    op.create_table(
        "conversations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("group_key", KEY, nullable=False),
        sa.Column("integration_id", KEY, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("conversations_in_group", "conversations", ["group_key", "integration_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", KEY, nullable=False),
        sa.Column("conversation_id", KEY, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("integration_id", KEY, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("conversation_id", "sequence", name="deliveries_outbox"),
    )
    op.create_index("deliveries_decided", "deliveries", ["decided_at"])
    op.create_index(
        "deliveries_due",
        "deliveries",
        ["due_at"],
        sqlite_where=sa.text("state IN ('pending', 'unknown')"),
        postgresql_where=sa.text("state IN ('pending', 'unknown')"),
    )
    op.create_index("deliveries_ended", "deliveries", ["ended_at"])
    op.create_index("deliveries_of_integration", "deliveries", ["integration_id", "decided_at"])
    op.create_index(
        "deliveries_sending",
        "deliveries",
        ["id"],
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_table(
        "events",
        sa.Column("group_key", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("group_key", "key"),
    )
    op.create_table(
        "groups",
        sa.Column("key", KEY, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("groups_due", "groups", ["due_at"])
    op.create_table(
        "history_batches",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tenant_key", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("history_batches_at", "history_batches", ["at"])
    op.create_index("history_batches_of_tenant", "history_batches", ["tenant_key", "at"])
    op.create_table(
        "history_jobs",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tenant_key", KEY, nullable=False),
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_key", "service_principal_id", "job_id", name="history_jobs_key"),
    )
    op.create_index("history_jobs_by_id", "history_jobs", ["job_id"])
    op.create_table(
        "integrations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "jobs",
        sa.Column("tenant_key", KEY, nullable=False),
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_key", "service_principal_id", "job_id"),
    )
    op.create_table(
        "log",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("group_key", KEY, nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("integration_id", KEY, nullable=False),
        sa.Column("conversation_id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("withheld", sa.Text(), nullable=True),
        sa.Column("alerts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("log_at", "log", ["at"])
    op.create_index("log_of_group", "log", ["group_key", "at"])
    op.create_table(
        "principals",
        sa.Column("tenant_key", KEY, nullable=False),
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_key", "service_principal_id"),
    )
    op.create_table(
        "reading_changes",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tenant_key", KEY, nullable=False),
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("reading_changes_of_principal", "reading_changes", ["tenant_key", "service_principal_id"])
    op.create_index("reading_changes_of_tenant", "reading_changes", ["tenant_key", "at"])
    op.create_table(
        "rounds",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tenant_key", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("ok", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rounds_at", "rounds", ["at"])
    op.create_index("rounds_of_tenant", "rounds", ["tenant_key", "at"])
    op.create_table(
        "tenants",
        sa.Column("key", KEY, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "transitions",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("fingerprint", KEY, nullable=False),
        sa.Column("rule", KEY, nullable=False),
        sa.Column("tenant_key", KEY, nullable=False),
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("episode", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("transitions_at", "transitions", ["at"])
    op.create_index("transitions_of_alert", "transitions", ["fingerprint", "at"])
    op.create_table(
        "alert_groups",
        sa.Column("group_key", KEY, nullable=False),
        sa.Column("fingerprint", KEY, nullable=False),
        sa.ForeignKeyConstraint(["fingerprint"], ["alerts.fingerprint"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_key", "fingerprint"),
    )
    op.create_index("alert_groups_of_alert", "alert_groups", ["fingerprint"])
    op.create_table(
        "history",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("job", NUMBER, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job"],
            ["history_jobs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("history_of_job", "history", ["job"])
    op.create_table(
        "log_alerts",
        sa.Column("fingerprint", KEY, nullable=False),
        sa.Column("log_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["log_id"], ["log.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("fingerprint", "log_id"),
    )
    op.create_index("log_alerts_of_log", "log_alerts", ["log_id"])
    op.create_table(
        "told",
        sa.Column("conversation_id", KEY, nullable=False),
        sa.Column("fingerprint", KEY, nullable=False),
        sa.Column("episode", sa.BigInteger(), nullable=False),
        sa.Column("integration_id", KEY, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("absent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("conversation_id", "fingerprint", "episode"),
    )
