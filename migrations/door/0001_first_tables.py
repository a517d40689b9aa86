"""The door's first tables, and the link's beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_state()
    _create_roster()
    _create_entries()
    _create_link()


def _create_state() -> None:
    op.create_table(
        "clock",
        sa.Column("row", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("boot_id", sa.String(64), nullable=False),
        sa.Column("since_boot", sa.Double, nullable=False),
        sa.Column("floor", sa.BigInteger, nullable=False),
        sa.Column("powered_s", sa.Double, nullable=False),
        sa.Column("news_unix", sa.BigInteger, nullable=False),
        sa.Column("news_boot_id", sa.String(64), nullable=False),
        sa.Column("news_since_boot", sa.Double, nullable=False),
        sa.Column("news_powered_s", sa.Double, nullable=False),
        sa.Column("starts_since_news", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_clock"),
    )
    op.create_table(
        "configuration",
        sa.Column("row", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_configuration"),
    )
    op.create_table(
        "pin_backoff",
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until_powered_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_pin_backoff"),
    )


def _create_roster() -> None:
    op.create_table(
        "roster",
        sa.Column("row", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("row", name="pk_roster"),
    )
    op.create_table(
        "roster_parts",
        sa.Column("part", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("part", name="pk_roster_parts"),
    )
    op.create_table(
        "roster_people",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("space", sa.String(128), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_roster_people"),
    )


def _create_entries() -> None:
    op.create_table(
        "entries",
        sa.Column("door_sequence", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("entry", sa.String(32), nullable=False),
        sa.Column("link_sequence", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("door_sequence", name="pk_entries"),
        sa.UniqueConstraint("entry", name="uq_entries_entry"),
    )
    op.create_index("ix_entries_link_sequence", "entries", ["link_sequence"])


def _create_link() -> None:
    op.create_table(
        "link_state",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_link_state_single"),
        sa.PrimaryKeyConstraint("id", name="pk_link_state"),
    )
    op.create_table(
        "link_peers",
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("next_sequence", sa.BigInteger, nullable=False),
        sa.Column("seen_epoch", sa.BigInteger, nullable=False),
        sa.Column("seen_sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("peer", name="pk_link_peers"),
    )
    op.create_table(
        "link_outbox",
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("peer", "sequence", name="pk_link_outbox"),
    )
    op.create_index(
        "ix_link_outbox_waiting",
        "link_outbox",
        ["peer", "sequence"],
        sqlite_where=sa.text("acknowledged_at IS NULL"),
    )
    op.create_table(
        "link_pairing_codes",
        sa.Column("locator", sa.String(16), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("tries_left", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("locator", name="pk_link_pairing_codes"),
    )
