"""The estate's second server."""
