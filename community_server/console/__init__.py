"""The staff's pages; each does what the API of its slice does, for people."""
