"""Visits: residents invite from their own page, visitors ask at a door's poster, both are ended."""
