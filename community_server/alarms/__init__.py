"""Alarms: told by doors, shown live, acknowledged by name."""
