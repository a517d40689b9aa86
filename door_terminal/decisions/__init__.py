"""From what was shown to an open gate: recognise, decide, record, open."""
