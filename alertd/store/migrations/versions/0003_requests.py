"""What a round came to at Graph, and whom it left out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; rounds before this asked everybody and counted nothing."""
    for name in ("rested", "unanswered", "waiting", "requests", "throttled", "repeated"):
        op.add_column("rounds", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
