"""The entry log: every decision at every door, once."""
