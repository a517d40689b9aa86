"""Orders of staff that answer a call."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("openings", sa.Column("call", sa.String(32), server_default="", nullable=False))
    op.add_column(
        "openings", sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
