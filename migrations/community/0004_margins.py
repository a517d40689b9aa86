"""How well each face fits, sealed, and whether it had better be renewed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("templates", sa.Column("margins", sa.LargeBinary(), nullable=True))
    op.add_column(
        "templates", sa.Column("faded", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
