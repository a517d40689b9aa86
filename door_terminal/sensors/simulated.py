"""Inputs for the demo and the tests: a file that holds their levels, as wires hold theirs.

`{"exit": true}` is a pressed button. What the file does not name is not active; no file, nothing.
"""

import json
from pathlib import Path


class SimulatedInput:
    """One level in `<data>/inputs.json`."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._read_at: tuple[int, int] | None = None
        self._level: bool | None = False

    def read(self) -> bool | None:
        """Say what the file says; None while it says nothing that can be read."""
        try:
            found = self._path.stat()
            if (found.st_mtime_ns, found.st_ino) != self._read_at:
                levels = json.loads(self._path.read_text("utf-8"))
                self._level = bool(levels.get(self._name, False))
                self._read_at = found.st_mtime_ns, found.st_ino
        except FileNotFoundError:
            self._level, self._read_at = False, None
        except (OSError, ValueError, AttributeError):
            self._level = None
        return self._level

    def close(self) -> None:
        """Do nothing: a file holds nothing open."""
