"""The ledger of what no backup may undo, and the wait for it after a restore."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_ledger",
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.PrimaryKeyConstraint("owner", "head", name="pk_link_ledger"),
    )
    op.create_index("ix_link_ledger_owner_number", "link_ledger", ["owner", "number"])
    op.create_index("ix_link_ledger_owner_subject", "link_ledger", ["owner", "subject"])
    end = op.create_table(
        "ledger_end",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
    )
    first = hashlib.sha256(b"gatehouse/ledger/1").digest()
    op.bulk_insert(end, [{"id": 1, "count": 0, "head": first}])
    op.create_table(
        "ledger_wait",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("pending", sa.Text, nullable=False),
    )
