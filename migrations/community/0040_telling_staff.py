"""Unseen alarms are told to staff, in two steps."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("contact", sa.LargeBinary, nullable=True))
    op.add_column(
        "alarms",
        sa.Column("escalated_again_at", sa.BigInteger, server_default="0", nullable=False),
    )
    # A severity that was set before goes on telling nobody, and has no second step.
    for column, kind, default in (
        ("tells", sa.String(16), ""),
        ("second_after_min", sa.Integer, "0"),
        ("second_tells", sa.String(16), ""),
    ):
        op.add_column(
            "escalation_settings",
            sa.Column(column, kind, server_default=default, nullable=False),
        )
    op.create_table(
        "staff_messages",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("staff_id", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("why", sa.String(40), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff_messages"),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name="fk_staff_messages_staff_id_staff",
            ondelete="CASCADE",
        ),
    )
    for column in ("staff_id", "state", "due_at"):
        op.create_index(f"ix_staff_messages_{column}", "staff_messages", [column])
