"""How well each person is recognised here, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "margins",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("template", sa.String(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_margins"),
    )
