"""Tier 3: the unit at the gate; sees, matches, decides, logs, and goes on when links are down."""
