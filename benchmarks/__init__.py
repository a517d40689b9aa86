"""Figures for people who choose hardware, and for us before and after a change."""
