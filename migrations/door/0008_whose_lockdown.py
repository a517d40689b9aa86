"""Whose word a lockdown is: a terminal may be paired with another estate."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lockdown", sa.Column("server", sa.String(64), server_default="", nullable=False))
