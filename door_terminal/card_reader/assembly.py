"""Cutting what a reader writes into numbers."""

from collections.abc import Iterator
from typing import Final

from door_terminal.card_reader.sources import TERMINATOR
from tier_link.cards import MAX_TEXT

SILENCE_S: Final = 0.15
"""Some readers end a number with nothing: then this silence does. One number takes 20 ms at 9600
baud, and less from a keyboard."""


class Assembly:
    """Collects characters until a number is whole. Not thread-safe."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0.0

    def take(self, characters: str, now: float) -> Iterator[str]:
        """Take what was read at `now` (seconds, steady); yield what is whole."""
        if self._text and now - self._at > SILENCE_S:
            yield from self._whole()
        for character in characters:
            if character == TERMINATOR:
                yield from self._whole()
            elif len(self._text) <= MAX_TEXT:  # one more than a number has: it is none any more
                self._text += character
        if characters:
            self._at = now

    def _whole(self) -> Iterator[str]:
        text, self._text = self._text, ""
        if text:
            yield text
