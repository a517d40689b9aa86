"""Alembic environments of the three tiers' databases."""
