"""The privacy officer's desk: who answers for the data, faces by month, impact assessments."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "privacy_details",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("controller", sa.String(100), nullable=False),
        sa.Column("contact", sa.String(200), nullable=False),
        sa.Column("other_faces", sa.Integer, nullable=False),
    )
    op.create_table(
        "face_months",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
    )
    op.create_table(
        "assessments",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
        sa.Column("staff_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
