"""What opens: one small interface, a driver for each kind of wiring."""

from door_terminal.gate.choice import open_gate
from door_terminal.gate.driver import Gate, Opening

__all__ = ["Gate", "Opening", "open_gate"]
