"""Figures for people who choose hardware, and for us before and after a change."""

import gatehouse  # noqa: F401 -- first, for what it tells numpy
