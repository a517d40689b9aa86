"""Runs the cloud's migrations in the transaction of a connection that is handed in."""

from alembic import context

from enrollment_cloud.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
