"""Looking for bytes in files, PostgreSQL's files and a process's memory."""

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

PIECE = 32
"""Bytes of a needle: long enough that nothing else holds them by chance."""
PIECES = 6
"""Needles of one large value, from all over: databases cut such values into chunks."""


def needles(value: bytes) -> list[bytes]:
    """Return pieces of a value as they may stand in a file: raw, as hex and as base64."""
    last = max(1, len(value) - PIECE)
    pieces = [value[start : start + PIECE] for start in range(0, last, max(1, last // PIECES))]
    hexadecimal = [piece.hex().encode() for piece in pieces]
    # Base64 of a larger value depends on where a piece begins; drop what the ends decide.
    encoded = [base64.b64encode(piece[shift:])[4:-4] for piece in pieces for shift in range(3)]
    return [*pieces, *hexadecimal, *encoded, *(text.translate(_URL_SAFE) for text in encoded)]


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def files_with(wanted: Sequence[bytes], places: Sequence[Path]) -> list[str]:
    """Return the files at or below `places` that hold any of the wanted bytes."""
    return [str(file) for file in _files(places) if _holds(_read(file), wanted)]


def memory_holds(wanted: Sequence[bytes], pid: int) -> bool:
    """Say whether any writable memory of a process holds any of the wanted bytes.

    Reads `/proc/<pid>/mem` (proc(5)), which needs root: a tier lets nobody else.
    """
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            region, permissions, *_ = line.split()
            if not permissions.startswith("rw"):
                continue
            start, end = (int(part, 16) for part in region.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue  # the kernel's own pages, or memory given back meanwhile
            if _holds(content, wanted):
                return True
    return False


def _holds(content: bytes, wanted: Sequence[bytes]) -> bool:
    return any(needle in content for needle in wanted)


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        yield from (place.rglob("*") if place.is_dir() else [place])


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes() if file.is_file() else b""
    except FileNotFoundError:
        return b""  # deleted while we looked
