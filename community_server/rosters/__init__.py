"""Rosters: what each door needs to know, and nothing more."""
