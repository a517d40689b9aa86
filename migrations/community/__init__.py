"""Migrations of the community server's database."""
