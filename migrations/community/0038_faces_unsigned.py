"""Faces that were in use before a signed assessment was asked for stay in use."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "community",
        sa.Column("faces_unsigned", sa.Boolean, server_default=sa.false(), nullable=False),
    )
    # Nobody is to stand before a shut door because of an update, nor whoever has sent photos.
    op.execute(
        "UPDATE community SET faces_unsigned = true"
        " WHERE EXISTS (SELECT 1 FROM templates)"
        " OR EXISTS (SELECT 1 FROM enrollments WHERE state = 'waiting')"
    )
