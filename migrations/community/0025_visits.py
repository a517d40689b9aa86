"""Visits, residents' own pages and doors' posters."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visit_links",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=True),
        sa.Column("door_id", sa.String(32), nullable=True),
        sa.Column("auth", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_visit_links"),
        _reference("visit_links", "person_id", "people", "CASCADE"),
        _reference("visit_links", "door_id", "doors", "CASCADE"),
    )
    op.create_table(
        "visits",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("host_id", sa.String(32), nullable=True),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("door_id", sa.String(32), nullable=True),
        sa.Column("request_id", sa.String(32), server_default="", nullable=False),
        sa.Column("courier", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("hours", sa.Integer, server_default="0", nullable=False),
        sa.Column("uses", sa.Integer, server_default="0", nullable=False),
        sa.Column("entries", sa.Integer, server_default="0", nullable=False),
        sa.Column("credential", sa.String(8), nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("decided_how", sa.String(8), server_default="", nullable=False),
        sa.Column("decided_by", sa.String(32), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.Column("person_id", sa.String(32), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_visits"),
        sa.UniqueConstraint("person_id", name="uq_visits_person_id"),
        _reference("visits", "host_id", "people", "SET NULL"),
        _reference("visits", "door_id", "doors", "SET NULL"),
        _reference("visits", "person_id", "people", "SET NULL"),
    )
    op.create_table(
        "visit_requests",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("link_id", sa.String(32), nullable=False),
        sa.Column("asked", sa.String(16), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("reply_key", sa.LargeBinary, nullable=False),
        sa.Column("answers", sa.Integer, nullable=False),
        sa.Column("last_answer", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_visit_requests"),
        _reference("visit_requests", "link_id", "visit_links", "CASCADE"),
    )
    op.create_table(
        "visit_counts",
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("visitors", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("unit", "month", name="pk_visit_counts"),
    )
    for table, columns in (
        ("visit_links", ("person_id", "door_id")),
        ("visits", ("host_id", "unit", "state", "created_at")),
        ("visit_requests", ("link_id", "received_at")),
    ):
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


def _reference(table: str, column: str, other: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}", ondelete=ondelete
    )
