"""Households: a building's units and who lives there."""
