"""Erasures, and which doors have to be heard before each is complete."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("kept", sa.String(8), nullable=False),
        sa.Column("category", sa.String(16), nullable=False),
        sa.Column("template_space", sa.String(128), nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("envelope", sa.String(32), nullable=False),
        sa.Column("reply_key", sa.LargeBinary),
        sa.Column("number", sa.Integer, nullable=False),
    )
    for column in ("person_id", "begun_at", "settled_at"):
        op.create_index(f"ix_erasures_{column}", "erasures", [column])
    op.create_table(
        "erasure_doors",
        sa.Column("erasure_id", sa.String(32), nullable=False),
        sa.Column("door_id", sa.String(32), nullable=False),
        sa.Column("roster_version", sa.BigInteger, nullable=False),
        sa.Column("terminal", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", "door_id", name="pk_erasure_doors"),
        sa.ForeignKeyConstraint(
            ["erasure_id"],
            ["erasures.id"],
            name="fk_erasure_doors_erasure_id_erasures",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["door_id"],
            ["doors.id"],
            name="fk_erasure_doors_door_id_doors",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_erasure_doors_waiting", "erasure_doors", ["state", "door_id"])
