"""Alarms: told by doors or noticed here, acknowledged by name, escalated when nobody is."""
