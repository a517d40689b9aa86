"""A gate for the demo and the tests: a file to which each opening adds one line."""

import errno
import json
import os
import time
from pathlib import Path

from door_terminal.errors import GateFailed
from door_terminal.gate.driver import Opening


class SimulatedGate:
    """Writes `{"entry", "seconds", "monotonic_ns"}` as one JSON line for each opening."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, opening: Opening) -> None:
        """Add the line.

        Raises:
            GateFailed: the file cannot be written.
        """
        opened = {
            "entry": opening.entry,
            "seconds": opening.seconds,
            "monotonic_ns": time.monotonic_ns(),
        }
        line = json.dumps(opened).encode() + b"\n"
        try:
            # One write in append mode: lines of several openings never mix.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                written = os.write(descriptor, line)
                if written < len(line):  # the disk took the beginning: no opening, and no line
                    os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise GateFailed(f"the simulated gate cannot write: {error.strerror}") from error

    def close(self) -> None:
        """Do nothing: a file holds nothing open."""
