"""Certified keys can be retired before their time."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "certified_keys",
        sa.Column("retired_at", sa.BigInteger, server_default="0", nullable=False),
    )
