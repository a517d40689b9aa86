"""QR passes: given to people, told to doors, taken back."""
