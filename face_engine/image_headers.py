"""What a picture's bytes say of themselves, read without decoding any pixel.

JPEG (ISO/IEC 10918-1), PNG (W3C PNG, third edition) and WebP (RFC 9649), each walked far enough
to know its size, its EXIF orientation, and whether its end is there.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from face_engine.errors import PhotoReason, PhotoRefused

MOST_PARTS: Final = 65_536
"""Segments or chunks of a picture: a camera's file has dozens, a PNG in small chunks thousands. A
file of nothing else would keep its reader busy for seconds."""
MOST_SCANS: Final = 100
"""Scans of a progressive JPEG: encoders write about ten. Each costs a pass over all pixels,
whatever it holds, and an empty one has 42 bytes: a photo of 4 MiB could ask for minutes."""

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = 0xD9
_PNG_START = b"\x89PNG\r\n\x1a\n"
# Frame headers carry the size; C4, C8 and CC are tables and an extension, not frames.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_APP1 = 0xE1
_JPEG_SCAN = 0xDA
_JPEG_PREFIX = 0xFF
# A marker, behind any number of fill bytes.
_JPEG_FILLED = re.compile(rb"\xff+[^\xff]", re.DOTALL)
# Within a scan every FF is stuffed with a zero or begins a restart marker; any other ends it.
_JPEG_BEHIND_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_EXIF_START = b"Exif\0\0"
_EXIF_ORIENTATION = 0x0112
# Real directories hold some dozens of tags; a count beyond this is not one.
_MOST_EXIF_TAGS = 256
_SHORTEST_WEBP = 30


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The size as stored, before any turning, and how the picture is to be turned.

    Attributes:
        width: pixels, from the header.
        height: pixels, from the header.
        orientation: EXIF orientation, 1..8; 1 is upright.
    """

    width: int
    height: int
    orientation: int


def _not_an_image() -> PhotoRefused:
    return PhotoRefused(PhotoReason.NOT_AN_IMAGE)


def _truncated() -> PhotoRefused:
    return PhotoRefused(PhotoReason.IMAGE_TRUNCATED)


def exif_orientation(block: bytes) -> int:
    """The orientation tag (1..8) of an EXIF block in TIFF form; 1 where there is none."""
    if block[:2] not in {b"II", b"MM"}:
        return 1
    little = block[:2] == b"II"

    def number(at: int, size: int) -> int:
        return int.from_bytes(block[at : at + size], "little" if little else "big")

    directory = number(4, 4)
    for tag in range(min(number(directory, 2), _MOST_EXIF_TAGS)):
        at = directory + 2 + 12 * tag
        if number(at, 2) == _EXIF_ORIENTATION:
            value = number(at + 8, 2)
            return value if value in range(1, 9) else 1
    return 1


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, body) of each segment up to the end of the image; a scan's pixels are left out.

    What cameras append after the end (previews, clips) is none of our business.
    """
    at = 2
    for _ in range(MOST_PARTS):
        if at + 2 > len(data):
            raise _truncated()
        if data[at] != _JPEG_PREFIX:
            raise _not_an_image()
        found = _JPEG_FILLED.match(data, at)
        if found is None:
            raise _truncated()
        at, marker = found.end(), data[found.end() - 1]
        if marker == _JPEG_END:
            return
        if marker in _JPEG_WITHOUT_LENGTH:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        yield marker, data[at + 2 : at + length]
        at += max(length, 2)
        if marker == _JPEG_SCAN:
            pixels_end = _JPEG_BEHIND_SCAN.search(data, at)
            if pixels_end is None:
                raise _truncated()
            at = pixels_end.start()
    raise _not_an_image()


def _jpeg_header(data: bytes) -> ImageHeader:
    width = height = scans = 0
    orientation = 1
    for marker, body in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            if (
                width or height or scans
            ):  # two sizes: a reader and a decoder may believe different ones
                raise _not_an_image()
            height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        elif marker == _JPEG_APP1 and body.startswith(_EXIF_START):
            orientation = exif_orientation(body.removeprefix(_EXIF_START))
        elif marker == _JPEG_SCAN:
            scans += 1
            if scans > MOST_SCANS:
                raise _not_an_image()
    return ImageHeader(width, height, orientation)


def _png_header(data: bytes) -> ImageHeader:
    width = height = 0
    orientation = 1
    at = len(_PNG_START)
    for _ in range(MOST_PARTS):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            # Also of the last one: a decoder makes room for what a length says, up to gigabytes.
            raise _truncated()
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if (kind == b"IHDR") != (at == len(_PNG_START)) or kind == b"acTL":
            raise _not_an_image()  # one size, and first; a film is not a photo
        if kind == b"IHDR":
            width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        elif kind == b"eXIf":
            orientation = exif_orientation(body)
        elif kind == b"IEND":
            return ImageHeader(width, height, orientation)
        at += 12 + length
    raise _not_an_image()


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int] | None:
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8 ":
        width, height = body[6:8], body[8:10]
        return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None


def _webp_header(data: bytes) -> ImageHeader:
    whole = 8 + int.from_bytes(data[4:8], "little")
    if len(data) < max(whole, _SHORTEST_WEBP):
        raise _truncated()
    size: tuple[int, int] | None = None
    orientation = 1
    at = 12
    for _ in range(MOST_PARTS):
        if at + 8 > whole:
            break
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > whole:
            raise _truncated()
        body = data[at + 8 : at + 8 + length]
        stated = _webp_size(kind, body)
        if size and stated and stated != size:  # the canvas and its picture
            raise _not_an_image()
        size = size or stated
        if kind in {b"ANIM", b"ANMF"}:  # a film is not a photo
            raise _not_an_image()
        if kind == b"EXIF":
            orientation = exif_orientation(body.removeprefix(_EXIF_START))
        at += 8 + length + (length & 1)
    else:
        raise _not_an_image()
    width, height = size or (0, 0)
    return ImageHeader(width, height, orientation)


_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], ImageHeader]], ...] = (
    (lambda data: data.startswith(_JPEG_START), _jpeg_header),
    (lambda data: data.startswith(_PNG_START), _png_header),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp_header),
)


def read_header(data: bytes) -> ImageHeader:
    """The header of a whole JPEG, PNG or WebP picture; sizes may be 0 where none is stated.

    Raises:
        PhotoRefused: not-an-image (another type, or nonsense), image-truncated (no end).
    """
    for matches, read in _READERS:
        if matches(data):
            return read(data)
    raise _not_an_image()
