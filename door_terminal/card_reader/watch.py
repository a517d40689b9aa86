"""Reads cards, for ever, on a thread of its own; a reader that is gone is looked for again."""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from door_terminal.card_reader.assembly import SILENCE_S, Assembly
from door_terminal.card_reader.sources import Source

_log = logging.getLogger(__name__)

LOST: Final = "card-reader-lost"
RETRY_S: Final = 2.0
"""Between two looks for a reader: somebody who has just plugged it in again is watching."""
_PAUSE_S: Final = 1.0  # after a fault of ours


class ReaderWatch:
    """Keeps one reader open.

    Args:
        open_source: Opens it; raises OSError while it is not there.
        read: Told each text that may be a number, and when it was read (`time.monotonic_ns`).
    """

    def __init__(
        self, open_source: Callable[[], Source], read: Callable[[str, int], object]
    ) -> None:
        self._open_source = open_source
        self._read = read
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="cards", daemon=True)
        self.state = LOST
        """Empty while the reader is open, else a code."""

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        said = False
        while not self._stopping.is_set():
            try:
                source = self._open_source()
            except OSError as error:
                if not said:
                    _log.warning("no card reader: %s", error)
                said = True
                self._stopping.wait(RETRY_S)
                continue
            said, self.state = False, ""
            _log.info("card reader open")
            try:
                self._follow(source)
            except OSError as error:
                _log.warning("card reader lost: %s", error)
            except Exception:  # noqa: BLE001 - logged; no fault may end the reading
                _log.exception("card reader failed and is opened again")
                self._stopping.wait(_PAUSE_S)
            finally:
                self.state = LOST
                source.close()

    def _follow(self, source: Source) -> None:
        assembly = Assembly()
        while not self._stopping.is_set():
            characters = source.read(SILENCE_S)
            read_ns = time.monotonic_ns()
            for text in assembly.take(characters, read_ns / 1e9):
                self._tell(text, read_ns)

    def _tell(self, text: str, read_ns: int) -> None:
        try:
            self._read(text, read_ns)
        except Exception:  # noqa: BLE001 - logged; a fault in one must not silence the next
            _log.exception("a card was lost")
