"""Consents once they are given: seen, withdrawn, and asked for anew when a text has changed."""
