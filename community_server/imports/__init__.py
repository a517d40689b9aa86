"""People from a file: read, compared with who is known, shown, and then applied as shown."""
