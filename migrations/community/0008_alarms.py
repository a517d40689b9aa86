"""Alarms, remarks on entries, pairs of readers, how a fire release ends at the door."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("alarm", sa.String(32), nullable=False),
        sa.Column("door_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_by", sa.String(32), nullable=False),
        sa.Column("time_known", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_by", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["door_id"], ["doors.id"], name="fk_alarms_door_id_doors"),
        sa.PrimaryKeyConstraint("alarm", name="pk_alarms"),
    )
    is_open = sa.text("cleared_at = 0 OR acknowledged_at = 0")
    op.create_index(
        "ix_alarms_open", "alarms", ["door_id"], sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index("ix_alarms_raised_at", "alarms", ["raised_at"])
    for table, column, length in (
        ("doors", "reset_pin", 200),
        ("doors", "pair", 64),
        ("entries", "remarks", 200),
    ):
        op.add_column(
            table, sa.Column(column, sa.String(length), server_default="", nullable=False)
        )
    op.add_column(
        "doors", sa.Column("held_open_s", sa.Double(), server_default="30", nullable=False)
    )
