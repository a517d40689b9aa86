"""What a picture's bytes say of themselves, read without decoding any pixel.

JPEG (ISO/IEC 10918-1), PNG (W3C PNG, third edition) and WebP (RFC 9649), each walked far enough
to know its size, its EXIF orientation, and whether its end is there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from face_engine.errors import PhotoReason, PhotoRefused

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_PNG_START = b"\x89PNG\r\n\x1a\n"
# Frame headers carry the size; C4, C8 and CC are tables and an extension, not frames.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_APP1 = 0xE1
_JPEG_SCAN = 0xDA
_JPEG_PREFIX = 0xFF
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
    """(marker, body) of each segment up to the first scan, whose rest of the file is the body."""
    at = 2
    while at + 4 <= len(data):
        prefix, marker = data[at], data[at + 1]
        if prefix != _JPEG_PREFIX:
            raise _not_an_image()
        if marker == _JPEG_PREFIX:  # a fill byte
            at += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            at += 2
        elif marker == _JPEG_SCAN:
            yield marker, data[at + 2 :]
            return
        else:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            yield marker, data[at + 4 : at + 2 + length]
            at += 2 + max(length, 2)
    raise _truncated()


def _jpeg_header(data: bytes) -> ImageHeader:
    width = height = 0
    orientation = 1
    for marker, body in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        elif marker == _JPEG_APP1 and body.startswith(_EXIF_START):
            orientation = exif_orientation(body.removeprefix(_EXIF_START))
        elif marker == _JPEG_SCAN and _JPEG_END not in body:
            # Within a scan every FF is stuffed, so FF D9 is the end marker. What cameras append
            # after it (previews, clips) is none of our business.
            raise _truncated()
    return ImageHeader(width, height, orientation)


def _png_header(data: bytes) -> ImageHeader:
    width = height = 0
    orientation = 1
    at = len(_PNG_START)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        elif kind == b"eXIf":
            orientation = exif_orientation(body)
        elif kind == b"IEND":
            return ImageHeader(width, height, orientation)
        at += 12 + length
    raise _truncated()


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
    while at + 8 <= whole:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        size = size or _webp_size(kind, body)
        if kind in {b"ANIM", b"ANMF"}:  # a film is not a photo
            raise _not_an_image()
        if kind == b"EXIF":
            orientation = exif_orientation(body.removeprefix(_EXIF_START))
        at += 8 + length + (length & 1)
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
