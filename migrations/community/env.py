"""Alembic's environment for the community server: run by `community_server.migrating`."""

from alembic import context

from community_server.tables import SLICES, metadata

assert SLICES  # noqa: S101 -- importing the slices is what fills the metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
