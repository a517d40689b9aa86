"""Property groups, their staff and the provider's, and which communities are linked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "property_groups",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_property_groups"),
    )
    op.create_table(
        "group_communities",
        sa.Column("community_id", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("community_id", name="pk_group_communities"),
        _refers("group_communities", "community_id", "communities"),
        _refers("group_communities", "group_id", "property_groups"),
    )
    op.create_index("ix_group_communities_group_id", "group_communities", ["group_id"])
    op.create_table(
        "operators",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("group_id", sa.String(64), nullable=True),
        sa.Column("key_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
        sa.UniqueConstraint("key_hash", name="uq_operators_key_hash"),
        _refers("operators", "group_id", "property_groups"),
    )
    op.create_table(
        "operator_sessions",
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("operator_id", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_operator_sessions"),
        _refers("operator_sessions", "operator_id", "operators"),
    )
    op.create_table(
        "operator_acts",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("operator_id", sa.String(16), nullable=False),
        sa.Column("community_id", sa.String(64), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operator_acts"),
        _refers("operator_acts", "operator_id", "operators"),
    )
    op.create_table(
        "community_links",
        sa.Column("community_id", sa.String(64), nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("community_id", name="pk_community_links"),
        _refers("community_links", "community_id", "communities"),
    )


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete="CASCADE"
    )
