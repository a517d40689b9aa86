"""Why an invitation was closed: used up, or called back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "invitations",
        sa.Column("closing", sa.String(length=16), server_default="used", nullable=False),
    )
