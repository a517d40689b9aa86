"""QR passes: which were given, which doors take them, and what each door was told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passes",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=True),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("alone", sa.Boolean, nullable=False),
        sa.Column("phone_key", sa.LargeBinary, nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_passes"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_passes_person_id_people", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_passes_person_id", "passes", ["person_id"])
    op.add_column(
        "doors",
        sa.Column("pass_allowed", sa.Boolean, server_default=sa.true(), nullable=False),
    )
    op.add_column(
        "doors", sa.Column("passes_told", sa.String(64), server_default="", nullable=False)
    )
