"""What no backup may undo, written down, copied to doors and cloud, and taken back from them."""
