"""An index by which a kind's entries are summed up over a year."""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_entry_hours_kind_id_hour_count", "entry_hours", ["kind_id", "hour", "count"]
    )
