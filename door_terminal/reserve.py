"""Room for entries when the disk is full: slots of a file that was written in advance.

Overwriting bytes that the file already owns needs no free block (on file systems that do not copy
on write). Entries wait here until the database takes them again; their ids keep them single.
"""

import logging
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Final

from door_terminal.errors import NotRecordable
from tier_kit.private_files import sync_folder

_log = logging.getLogger(__name__)

SLOT_SIZE: Final = 512  # a disk's smallest sector: one entry is written whole or not at all
SLOTS: Final = 4096  # 2 MiB: a busy door's day or two
_HEADER: Final = struct.Struct(">4sHI")  # magic, length, CRC-32 of the payload
_MAGIC: Final = b"GHe1"


class Reserve:
    """The file of slots. Thread-safe."""

    def __init__(self, path: Path, *, slots: int = SLOTS) -> None:
        self._path = path
        self._slots = slots
        self._lock = Lock()
        self._used: set[int] = set()
        self._descriptor: int | None = None

    def open(self) -> None:
        """Make the file if it is not there, and see what it holds.

        Without room for the file the door works all the same, without this reserve.
        """
        with self._lock:
            try:
                if not self._path.exists():
                    self._make()
                self._descriptor = os.open(self._path, os.O_RDWR)
                self._slots = os.fstat(self._descriptor).st_size // SLOT_SIZE
            except OSError as error:
                _log.warning("no reserve for entries: %s", error.strerror)
                return
            self._used = {slot for slot in range(self._slots) if self._read(slot) is not None}

    def __len__(self) -> int:
        return len(self._used)

    def put(self, payload: bytes) -> None:
        """Write one entry durably into a free slot.

        Raises:
            NotRecordable: no slot is free, or the disk refuses even this.
        """
        with self._lock:
            free = next((slot for slot in range(self._slots) if slot not in self._used), None)
            if self._descriptor is None or free is None:
                raise NotRecordable("the disk is full and so is the reserve")
            header = _HEADER.pack(_MAGIC, len(payload), zlib.crc32(payload))
            slot = (header + payload).ljust(SLOT_SIZE, b"\0")
            if len(slot) != SLOT_SIZE:
                raise NotRecordable("an entry does not fit a slot of the reserve")
            self._write(free, slot)
            self._used.add(free)

    def waiting(self) -> Iterator[tuple[int, bytes]]:
        """Yield slot and payload of each entry that waits."""
        with self._lock:
            found = [(slot, self._read(slot)) for slot in sorted(self._used)]
        yield from ((slot, payload) for slot, payload in found if payload is not None)

    def clear(self, slot: int) -> None:
        """Free a slot whose entry is in the database."""
        with self._lock:
            self._write(slot, bytes(SLOT_SIZE))
            self._used.discard(slot)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _make(self) -> None:
        part = self._path.with_name(self._path.name + ".part")
        with part.open("wb") as file:
            file.write(bytes(self._slots * SLOT_SIZE))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)
        sync_folder(self._path.parent)

    def _read(self, slot: int) -> bytes | None:
        if self._descriptor is None:
            return None
        data = os.pread(self._descriptor, SLOT_SIZE, slot * SLOT_SIZE)
        if len(data) != SLOT_SIZE:
            return None
        magic, length, checksum = _HEADER.unpack_from(data)
        payload = data[_HEADER.size : _HEADER.size + length]
        return payload if magic == _MAGIC and zlib.crc32(payload) == checksum else None

    def _write(self, slot: int, data: bytes) -> None:
        if self._descriptor is None:
            raise NotRecordable("there is no reserve")
        try:
            os.pwrite(self._descriptor, data, slot * SLOT_SIZE)
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise NotRecordable(f"the reserve cannot be written: {error.strerror}") from error


_BALLAST: Final = "ballast"
_BALLAST_SIZE: Final = 1024 * 1024  # SQLite needs some 100 KiB to open a database and its log


def release_ballast(folder: Path) -> None:
    """Make a little room before the database is opened: on a full disk it could not be."""
    (folder / _BALLAST).unlink(missing_ok=True)


def keep_ballast(folder: Path) -> None:
    """Take that room back for the next start, where there is any."""
    try:
        with (folder / _BALLAST).open("wb") as file:
            file.write(bytes(_BALLAST_SIZE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        release_ballast(folder)
        _log.warning("no room for ballast: %s", error.strerror)
