"""What Silent-Face's two networks take and answer; apart, so that running them needs no `onnx`."""

from typing import Final

INPUT: Final = "picture"
"""(N, 3, `SIDE`, `SIDE`) float32."""
OUTPUT: Final = "classes"
"""(N, `CLASSES`) float32 shares."""
SIDE: Final = 80
"""Pixels of the square picture that both networks take."""
CLASSES: Final = 3
