"""Is this a face or a picture of one? Three independent sources, and what they say together."""
