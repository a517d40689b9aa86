"""May this person pass this door now: plain values and one pure decision function."""
