"""A server knows of its standby."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standby",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("node", sa.String(32), nullable=False),
        sa.Column("serving_address", sa.String(255), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("heard_at", sa.BigInteger, nullable=False),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("oldest", sa.Integer, nullable=False),
        sa.Column("behind_s", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_standby"),
    )
