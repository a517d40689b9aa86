"""Lockdowns of the whole estate, and what each door says that it holds."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lockdown_declarations",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("reason", sa.LargeBinary, nullable=True),
        sa.Column("staff_id", sa.String(32), nullable=False),
        sa.Column("door_id", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_lockdown_declarations"),
    )
    op.add_column("doors", sa.Column("lockdown", sa.BigInteger, server_default="0", nullable=False))
    op.add_column(
        "doors", sa.Column("locked_down", sa.Boolean, server_default=sa.false(), nullable=False)
    )
