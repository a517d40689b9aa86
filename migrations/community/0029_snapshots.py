"""Small pictures of faces that doors refused."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "doors", sa.Column("snapshots", sa.Boolean, server_default=sa.false(), nullable=False)
    )
    op.create_table(
        "snapshots",
        sa.Column("entry", sa.String(32), primary_key=True),
        sa.Column(
            "door_id",
            sa.String(32),
            sa.ForeignKey("doors.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("taken_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_snapshots_door_id", "snapshots", ["door_id"])
    op.create_index("ix_snapshots_taken_at", "snapshots", ["taken_at"])
