"""The gatehouse command; composes the tiers for the demo."""
