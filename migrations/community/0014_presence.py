"""Doors where a face counts only once somebody has shown that they want in."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "doors",
        sa.Column("face_needs_presence", sa.Boolean, server_default=sa.false(), nullable=False),
    )
