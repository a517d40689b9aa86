"""The unit's own page: PIN pad, state, last decision. On loopback, in both languages at once."""
