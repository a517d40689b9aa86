"""Cards that people have, and which doors take them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cards",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("tag", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.LargeBinary, nullable=False),
        sa.Column("given_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cards"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_cards_person_id_people", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("tag", name="uq_cards_tag"),
    )
    op.create_index("ix_cards_person_id", "cards", ["person_id"])
    op.add_column(
        "doors",
        sa.Column("card_allowed", sa.Boolean, server_default=sa.true(), nullable=False),
    )
