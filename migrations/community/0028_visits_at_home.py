"""Requests about visits that came over the estate's own network."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "visit_requests", sa.Column("origin", sa.String(8), server_default="cloud", nullable=False)
    )
