"""No keyed hash of a phone is kept, nor its key: copies of the database could be tried out."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    people = sa.table("people", sa.column("phone_hash"))
    named_secrets = sa.table("named_secrets", sa.column("name"))
    op.execute(sa.update(people).values(phone_hash=None))
    op.execute(sa.delete(named_secrets).where(named_secrets.c.name == "phone-key"))
