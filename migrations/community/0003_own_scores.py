"""The estate's own scores, counted in bins, and doors where a face alone is not enough."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counted_scores",
        sa.Column("door", sa.String(32), nullable=False),
        sa.Column("space", sa.String(128), nullable=False),
        sa.Column("counted_by", sa.String(8), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("compared", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("door", "space", "counted_by", name="pk_counted_scores"),
    )
    for column in ("face_needs_second", "second_told"):
        op.add_column(
            "doors", sa.Column(column, sa.Boolean(), server_default=sa.false(), nullable=False)
        )
