"""Whether a door tells faces from pictures of faces, and what it saw."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, length, usual in (("doors", 16, "off"), ("entries", 24, "")):
        op.add_column(
            table,
            sa.Column("liveness", sa.String(length), server_default=usual, nullable=False),
        )
