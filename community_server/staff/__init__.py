"""Property staff: accounts, sessions, and the record of what they did."""
