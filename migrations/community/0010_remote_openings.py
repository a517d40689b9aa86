"""Openings by staff, and whose word an entry rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "openings",
        sa.Column("entry", sa.String(32), nullable=False),
        sa.Column("door_id", sa.String(32), nullable=False),
        sa.Column("staff_id", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["door_id"], ["doors.id"], name="fk_openings_door_id_doors"),
        sa.PrimaryKeyConstraint("entry", name="pk_openings"),
    )
    op.create_index("ix_openings_door_id_asked_at", "openings", ["door_id", "asked_at"])
    op.add_column(
        "entries", sa.Column("staff_id", sa.String(32), server_default="", nullable=False)
    )
