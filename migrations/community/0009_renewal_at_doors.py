"""Faces renewed at doors: which two credentials an entry rests on, and who declined when."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entries", sa.Column("first", sa.String(8), server_default="", nullable=False))
    op.add_column(
        "templates", sa.Column("declined_at", sa.BigInteger, server_default="0", nullable=False)
    )
