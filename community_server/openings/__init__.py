"""Doors opened from the desk: by whom, why, and what came of it."""
