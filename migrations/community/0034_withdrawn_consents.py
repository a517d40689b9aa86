"""Consents say when and where they were withdrawn, and whether a guardian gave them."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "consents_given",
        sa.Column("withdrawn_at", sa.BigInteger, server_default="0", nullable=False),
    )
    op.add_column(
        "consents_given",
        sa.Column("withdrawn_how", sa.String(8), server_default="", nullable=False),
    )
    op.add_column(
        "consents_given",
        sa.Column("given_by", sa.String(8), server_default="person", nullable=False),
    )
    op.add_column("enrollments", sa.Column("guardian", sa.LargeBinary))
