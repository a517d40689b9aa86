"""Alarms with severity, notes and escalation; events, webhooks; when a door was last heard of."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("alarms") as alarms:
        alarms.alter_column("door_id", existing_type=sa.String(32), nullable=True)
        alarms.add_column(
            sa.Column("severity", sa.String(16), server_default="warning", nullable=False)
        )
        alarms.add_column(sa.Column("note", sa.LargeBinary, nullable=True))
        alarms.add_column(
            sa.Column("escalated_at", sa.BigInteger, server_default="0", nullable=False)
        )
    op.add_column("doors", sa.Column("heard_at", sa.BigInteger, server_default="0", nullable=False))
    op.create_table(
        "alarm_settings",
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("after_min", sa.Integer, server_default="0", nullable=False),
        sa.Column("most", sa.Integer, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_alarm_settings"),
    )
    op.create_table(
        "escalation_settings",
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("after_min", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("severity", name="pk_escalation_settings"),
    )
    op.create_table(
        "events",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_number", "events", ["number"], unique=True)
    op.create_index("ix_events_at", "events", ["at"])
    op.create_table(
        "event_marks",
        sa.Column("reader", sa.String(16), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("reader", name="pk_event_marks"),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("url", sa.LargeBinary, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("kinds", sa.String(400), nullable=False),
        sa.Column("paused", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("queued_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tried_at", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.Integer, nullable=False),
        sa.Column("trouble", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
            name="fk_deliveries_webhook_id_webhooks",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_state_due_at", "deliveries", ["state", "due_at"])
    op.create_index("ix_deliveries_webhook_id_id", "deliveries", ["webhook_id", "id"])
