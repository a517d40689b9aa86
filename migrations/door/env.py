"""Runs the door's migrations on the connection that `door_terminal.database` gives."""

from alembic import context

from door_terminal.database import DoorBase
from tier_link.store import LinkBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[DoorBase.metadata, LinkBase.metadata],
)
with context.begin_transaction():
    context.run_migrations()
