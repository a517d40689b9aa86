"""Looking for bytes in files, PostgreSQL's files and a process's memory."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PIECE = 32
"""Bytes of a needle: long enough that nothing else holds them by chance."""
PIECES = 6
"""Needles of one large value, from all over: databases cut such values into chunks."""


LARGE, MANY = 1 << 16, 8
"""From so many bytes and needles on, looking for all of them at once is quicker."""
_ANCHOR = 6
_SHORTEST = 8
"""Characters of a piece in base64 that no other file holds by chance."""


def pieces_of(value: bytes) -> list[bytes]:
    """Return pieces of a value from all over."""
    last = max(1, len(value) - PIECE)
    return [value[start : start + PIECE] for start in range(0, last, max(1, last // PIECES))]


def needles(value: bytes) -> list[bytes]:
    """Return pieces of a value as they may stand in a file: raw, as hex and as base64."""
    pieces = pieces_of(value)
    hexadecimal = [piece.hex().encode() for piece in pieces]
    # Base64 of a larger value depends on where a piece begins; drop what the ends decide.
    encoded = [base64.b64encode(piece[shift:])[4:-4] for piece in pieces for shift in range(3)]
    encoded = [text for text in encoded if len(text) >= _SHORTEST]
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
    if len(content) < LARGE or len(wanted) < MANY:
        return any(needle in content for needle in wanted)
    short = [needle for needle in wanted if len(needle) < _ANCHOR]
    return any(needle in content for needle in short) or _holds_long(content, wanted)


def _holds_long(content: bytes, wanted: Sequence[bytes]) -> bool:
    """Look for all longer needles at once: by an anchor's pairs of bytes, then one by one."""
    anchors = _anchors(tuple(wanted))
    pairs = np.empty(len(content) - 1, ">u2")
    pairs[::2] = np.frombuffer(content, ">u2", len(content) // 2)
    pairs[1::2] = np.frombuffer(content, ">u2", (len(content) - 1) // 2, offset=1)
    at = np.flatnonzero(_known(anchors, 0)[pairs[: len(pairs) - _ANCHOR + 2]])
    for place in range(2, _ANCHOR, 2):
        at = at[_known(anchors, place)[pairs[at + place]]]
    return any(
        start >= shift and content.startswith(needle, start - shift)
        for start in at.tolist()
        for shift, needle in anchors.get(content[start : start + _ANCHOR], ())
    )


@lru_cache(maxsize=4)
def _anchors(wanted: tuple[bytes, ...]) -> dict[bytes, list[tuple[int, bytes]]]:
    """Return needles, each with where its anchor begins in it, by their anchors."""
    anchors: dict[bytes, list[tuple[int, bytes]]] = {}
    for needle in set(wanted):
        if len(needle) >= _ANCHOR:
            shift = _most_telling(needle)
            anchors.setdefault(needle[shift : shift + _ANCHOR], []).append((shift, needle))
    return anchors


def _known(anchors: Iterable[bytes], place: int) -> NDArray[np.bool_]:
    known = np.zeros(1 << 16, np.bool_)
    known[[int.from_bytes(one[place : place + 2], "big") for one in anchors]] = True
    return known


def _most_telling(needle: bytes) -> int:
    """Return where an anchor begins that is rare: of many different bytes, and no zeros."""
    return max(
        range(len(needle) - _ANCHOR + 1),
        key=lambda start: len(set(needle[start : start + _ANCHOR]) - {0}),
    )


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        yield from (place.rglob("*") if place.is_dir() else [place])


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes() if file.is_file() else b""
    except FileNotFoundError:
        return b""  # deleted while we looked
