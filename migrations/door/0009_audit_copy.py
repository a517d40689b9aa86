"""The end of the server's audit log, as the door heard of it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_copy",
        sa.Column("row", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_audit_copy"),
    )
