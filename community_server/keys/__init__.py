"""The community's keys: the root, what it certifies, the estate's secrets, its own CA."""
