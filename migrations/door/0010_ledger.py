"""A copy of the server's ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_ledger",
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.PrimaryKeyConstraint("owner", "head", name="pk_link_ledger"),
    )
    op.create_index("ix_link_ledger_owner_number", "link_ledger", ["owner", "number"])
    op.create_index("ix_link_ledger_owner_subject", "link_ledger", ["owner", "subject"])
