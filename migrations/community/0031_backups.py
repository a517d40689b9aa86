"""When a backup was made, and when the recovery kit was tried."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "community", sa.Column("kit_checked_at", sa.BigInteger, server_default="0", nullable=False)
    )
    op.create_table(
        "backup_note",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("file", sa.String(100), nullable=False),
        sa.Column("tried_at", sa.BigInteger, nullable=False),
        sa.Column("why", sa.String(40), nullable=False),
    )
