"""Cards: given to people at the desk, told to doors as keyed hashes, taken away."""
