"""Measures of the engine."""
