"""What staff sign in with, programs' tokens, and the audit log's chain."""

import sqlalchemy as sa
from alembic import op

from community_server.audit.chain import FIRST, head_of

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "staff", sa.Column("state", sa.String(16), server_default="active", nullable=False)
    )
    op.add_column("staff", sa.Column("totp", sa.LargeBinary))
    for name in ("totp_since", "totp_step"):
        op.add_column("staff", sa.Column(name, sa.BigInteger, server_default="0", nullable=False))
    op.add_column(
        "staff_sessions", sa.Column("proven_at", sa.BigInteger, server_default="0", nullable=False)
    )
    op.add_column(
        "staff_sessions", sa.Column("address", sa.String(64), server_default="", nullable=False)
    )
    _add_secret_table(
        "staff_tickets",
        "token_hash",
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    _add_secret_table("staff_recovery_codes", "code_hash")
    _add_secret_table(
        "staff_devices",
        "token_hash",
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        shared=True,
    )
    op.create_table(
        "staff_attempts",
        sa.Column("key_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failed_at", sa.BigInteger, nullable=False),
        sa.Column("wait_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_staff_attempts"),
    )
    op.create_index("ix_staff_attempts_failed_at", "staff_attempts", ["failed_at"])
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(400), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    _add_chain()


def _add_secret_table(
    name: str, key: str, *columns: sa.Column[object], shared: bool = False
) -> None:
    op.create_table(
        name,
        sa.Column(key, sa.LargeBinary(32), nullable=False),
        sa.Column("staff_id", sa.String(32), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint(key, *(["staff_id"] if shared else []), name=f"pk_{name}"),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=f"fk_{name}_staff_id_staff", ondelete="CASCADE"
        ),
    )
    op.create_index(f"ix_{name}_staff_id", name, ["staff_id"])


def _add_chain() -> None:
    op.add_column("audit", sa.Column("place", sa.BigInteger))
    op.add_column("audit", sa.Column("head", sa.LargeBinary(32)))
    op.create_table(
        "audit_end",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_end"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("count", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.PrimaryKeyConstraint("count", name="pk_audit_heads"),
    )
    audit = sa.table(
        "audit",
        *(sa.column(name) for name in ("number", "at", "staff_id", "action", "subject", "detail")),
        *(sa.column(name) for name in ("place", "head")),
    )
    connection, head, place = op.get_bind(), FIRST, 0
    for row in connection.execute(sa.select(audit).order_by(audit.c.number)).all():
        place += 1
        head = head_of(head, place, row.at, row.staff_id, row.action, row.subject, row.detail)
        connection.execute(
            sa.update(audit).where(audit.c.number == row.number).values(place=place, head=head)
        )
    end = sa.table("audit_end", sa.column("id"), sa.column("count"), sa.column("head"))
    connection.execute(sa.insert(end).values(id=1, count=place, head=head))
    op.create_index("ix_audit_place", "audit", ["place"], unique=True)
    for name in ("staff_id", "subject"):
        op.create_index(f"ix_audit_{name}", "audit", [name])
