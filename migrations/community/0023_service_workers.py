"""Companies, and the service workers who come for them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "companies",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("group_id", sa.Integer, nullable=True),
        sa.Column("allowed_min", sa.Integer, nullable=False),
        sa.Column("retention_days", sa.Integer, nullable=False),
        sa.Column("suspended", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("contact", sa.LargeBinary, nullable=True),
        sa.Column("external_id", sa.String(64), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_companies"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["access_groups.id"], name="fk_companies_group_id_access_groups"
        ),
        sa.UniqueConstraint("name", name="uq_companies_name"),
        sa.UniqueConstraint("external_id", name="uq_companies_external_id"),
    )
    op.create_index("ix_companies_group_id", "companies", ["group_id"])
    op.create_table(
        "workers",
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("company_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_workers"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_workers_person_id_people", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name="fk_workers_company_id_companies"
        ),
    )
    op.create_index("ix_workers_company_id", "workers", ["company_id"])
