"""Alarms that are active."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("alarm", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_alarms"),
    )
