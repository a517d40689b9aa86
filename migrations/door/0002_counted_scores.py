"""How alike the others look at this door: counts in bins."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counted_scores",
        sa.Column("space", sa.String(128), nullable=False),
        sa.Column("counts", sa.LargeBinary, nullable=False),
        sa.Column("compared", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("space", name="pk_counted_scores"),
    )
