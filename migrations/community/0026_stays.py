"""Stays of service workers, what is counted of them, and alarms about somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "worker_stays",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("company_id", sa.String(32), nullable=False),
        sa.Column("door_id", sa.String(32), nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("ended_by", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_worker_stays"),
    )
    op.create_index("ix_worker_stays_last_seen", "worker_stays", ["last_seen"])
    op.create_index("ix_worker_stays_person_id_begins", "worker_stays", ["person_id", "begins"])
    op.create_table(
        "departures",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("staff_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_departures"),
    )
    op.create_index("ix_departures_person_id", "departures", ["person_id"])
    op.create_table(
        "stay_counts",
        sa.Column("company_id", sa.String(32), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seen", sa.Boolean, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "day", "seen", "minutes", name="pk_stay_counts"),
    )
    op.add_column("alarms", sa.Column("subject", sa.String(32), server_default="", nullable=False))
