"""Renewing faces: on how many photos one rests, and particulars that wait for the approval."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "templates", sa.Column("photos", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("enrollments", sa.Column("particulars", sa.LargeBinary(), nullable=True))
