"""One gate per module, each with its `GATE`."""
