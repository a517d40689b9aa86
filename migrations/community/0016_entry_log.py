"""The entry log searched: when an entry was is never 0, hours are counted, looks are noted."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KINDS = ("door_id", "direction", "category", "credential", "granted", "reason", "matched")


def upgrade() -> None:
    op.execute('UPDATE entries SET "at" = received_at * 1000 WHERE "at" = 0')
    for column in ("door_id", "person_id"):
        op.drop_index(f"ix_entries_{column}", "entries")
    remarked = sa.text("remarks <> ''")
    op.create_index("ix_entries_person_id_at", "entries", ["person_id", "at"])
    op.create_index(
        "ix_entries_remarked", "entries", ["at"], sqlite_where=remarked, postgresql_where=remarked
    )
    op.create_table(
        "entry_hours",
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("door_id", sa.String(32), nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("category", sa.String(16), nullable=False),
        sa.Column("credential", sa.String(8), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("matched", sa.String(8), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", *KINDS, name="pk_entry_hours"),
        sqlite_with_rowid=False,
    )
    kinds = ", ".join(KINDS)
    # Hours of UTC: those of every zone whose clock is whole hours away from it.
    op.execute(
        f'INSERT INTO entry_hours (hour, {kinds}, "count") '  # noqa: S608 -- names of our own
        f'SELECT "at" / 1000 - "at" / 1000 % 3600, {kinds}, count(*) FROM entries '
        f'GROUP BY "at" / 1000 - "at" / 1000 % 3600, {kinds}'
    )
    op.create_table(
        "entry_looks",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("staff_id", sa.String(32), nullable=False),
        sa.Column("people", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entry_looks"),
    )
