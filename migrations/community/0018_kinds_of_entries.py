"""Entries are counted by kinds, each written once: a year's counts are summed up sooner."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KINDS = ("door_id", "direction", "category", "credential", "granted", "reason", "matched")


def upgrade() -> None:
    op.create_table(
        "entry_kinds",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("door_id", sa.String(32), nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("category", sa.String(16), nullable=False),
        sa.Column("credential", sa.String(8), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("matched", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entry_kinds"),
    )
    op.create_index("ix_entry_kinds_all", "entry_kinds", list(KINDS), unique=True)
    kinds = ", ".join(KINDS)
    op.execute(
        f"INSERT INTO entry_kinds ({kinds}) "  # noqa: S608 -- names of our own
        f"SELECT DISTINCT {kinds} FROM entry_hours"
    )
    same = " AND ".join(f"k.{name} = h.{name}" for name in KINDS)
    op.execute(
        'CREATE TABLE counted AS SELECT h.hour, k.id AS kind_id, h."count" '  # noqa: S608 -- the same
        f"FROM entry_hours h JOIN entry_kinds k ON {same}"
    )
    op.drop_table("entry_hours")
    op.create_table(
        "entry_hours",
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("kind_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "kind_id", name="pk_entry_hours"),
        sa.ForeignKeyConstraint(
            ["kind_id"], ["entry_kinds.id"], name="fk_entry_hours_kind_id_entry_kinds"
        ),
        sqlite_with_rowid=False,
    )
    op.execute('INSERT INTO entry_hours (hour, kind_id, "count") SELECT * FROM counted')
    op.drop_table("counted")
