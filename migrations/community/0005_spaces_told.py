"""In which template spaces a door was last told its roster."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "doors", sa.Column("spaces_told", sa.String(260), server_default="", nullable=False)
    )
