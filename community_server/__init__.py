"""Tier 2: the estate's own server; people, encrypted templates, rosters, console and entry log."""
