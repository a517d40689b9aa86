"""Processes ask every second which communities were revoked or paired anew: along indexes."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_communities_paired_at", "communities", ["paired_at"])
    op.create_index("ix_communities_revoked_at", "communities", ["revoked_at"])
