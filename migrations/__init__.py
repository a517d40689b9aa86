"""What Alembic runs at every start: one environment, and a folder of versions per tier."""
