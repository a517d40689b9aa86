"""Doors: added, paired, configured, watched, revoked."""
