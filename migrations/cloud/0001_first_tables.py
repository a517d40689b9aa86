"""First tables: communities, invitations, envelopes, replies, and the link's own.

On PostgreSQL the outbox is UNLOGGED: sealed envelopes must not reach the write-ahead log. A
crash of the database server empties it; the browsers then send again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_communities()
    _create_enrollments()
    _create_link()


def _create_communities() -> None:
    op.create_table(
        "communities",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("link_key", sa.LargeBinary),
        sa.Column("paired_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("profile", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_communities"),
    )
    op.create_table(
        "cloud_identity",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("private_key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cloud_identity"),
        sa.CheckConstraint("id = 1", name="ck_cloud_identity_only_one"),
    )
    op.create_table(
        "invitations",
        sa.Column("community", sa.String(64), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("community", "id", name="pk_invitations"),
        sa.ForeignKeyConstraint(
            ["community"],
            ["communities.id"],
            name="fk_invitations_community_communities",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_invitations_expires_at", "invitations", ["expires_at"])


def _create_enrollments() -> None:
    op.create_table(
        "envelopes",
        sa.Column("community", sa.String(64), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("invitation", sa.String(32), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("collected_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("community", "id", name="pk_envelopes"),
        sa.ForeignKeyConstraint(
            ["community"],
            ["communities.id"],
            name="fk_envelopes_community_communities",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_envelopes_community_invitation_received_at",
        "envelopes",
        ["community", "invitation", "received_at"],
    )
    op.create_index(
        "ix_envelopes_community_sequence", "envelopes", ["community", "sequence"], unique=True
    )
    op.create_index("ix_envelopes_expires_at", "envelopes", ["expires_at"])
    op.create_table(
        "sealed_replies",
        sa.Column("community", sa.String(64), nullable=False),
        sa.Column("envelope", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("community", "envelope", "number", name="pk_sealed_replies"),
        sa.ForeignKeyConstraint(
            ["community", "envelope"],
            ["envelopes.community", "envelopes.id"],
            name="fk_sealed_replies_community_envelope_envelopes",
            ondelete="CASCADE",
        ),
    )


def _create_link() -> None:
    op.create_table(
        "link_state",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_link_state"),
        sa.CheckConstraint("id = 1", name="ck_link_state_single"),
    )
    op.create_table(
        "link_peers",
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("next_sequence", sa.BigInteger, nullable=False),
        sa.Column("seen_epoch", sa.BigInteger, nullable=False),
        sa.Column("seen_sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("peer", name="pk_link_peers"),
    )
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "link_outbox",
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("peer", "sequence", name="pk_link_outbox"),
        prefixes=["UNLOGGED"] if on_postgresql else [],
    )
    op.create_index(
        "ix_link_outbox_waiting",
        "link_outbox",
        ["peer", "sequence"],
        sqlite_where=sa.text("acknowledged_at IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL"),
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
