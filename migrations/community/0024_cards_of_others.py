"""What other systems call a card."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cards", sa.Column("external_id", sa.String(64), nullable=True))
    op.create_index("ix_cards_external_id", "cards", ["external_id"], unique=True)
