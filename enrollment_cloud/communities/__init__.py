"""Communities: their pairing, their link keys, and the profile that the public form shows."""
