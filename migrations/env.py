"""Alembic's environment for all tiers: runs on the connection that is handed in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
