"""Events sent to other systems: signed, in a queue that outlives a restart, tried for a day."""
