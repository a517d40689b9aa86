"""What other systems may know: typed events without names, numbered once, kept for a month."""
