"""Who rings at which door, and how staff answer."""
