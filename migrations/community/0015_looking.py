"""When doors look for faces, and how often."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("looks_from", "looks_until"):
        op.add_column("doors", sa.Column(name, sa.Integer, server_default="0", nullable=False))
    op.add_column(
        "doors", sa.Column("looks_outside", sa.String(8), server_default="slow", nullable=False)
    )
    op.add_column(
        "doors", sa.Column("looks_rate", sa.Double(), server_default="30", nullable=False)
    )
