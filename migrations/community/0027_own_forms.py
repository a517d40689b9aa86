"""The forms on the estate's own network: where links open, where enrollments were written."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("invitations", "enrollments", "consents_given"):
        op.add_column(
            table, sa.Column("origin", sa.String(8), server_default="cloud", nullable=False)
        )
    for table in ("enrollments", "consents_given"):
        rows = sa.table(table, sa.column("origin"), sa.column("sealed_by"))
        op.execute(rows.update().where(rows.c.sealed_by == "door").values(origin="door"))
    op.create_table(
        "kept_replies",
        sa.Column("enrollment_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("enrollment_id", "number", name="pk_kept_replies"),
        sa.ForeignKeyConstraint(
            ["enrollment_id"],
            ["enrollments.id"],
            name="fk_kept_replies_enrollment_id_enrollments",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_kept_replies_stored_at", "kept_replies", ["stored_at"])
