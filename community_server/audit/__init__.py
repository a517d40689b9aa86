"""What staff do and whom they look at: a chain of rows that shows when one was changed."""
