"""The one gate through which a stranger's photo bytes become pixels.

Type, size and wholeness are read from the bytes before anything is decoded, so that a picture of
a few kilobytes cannot ask for gigabytes, and half a photo is refused instead of turning grey.
JPEG (ISO/IEC 10918-1), PNG (W3C PNG, third edition) and WebP (RFC 9649) pass; nothing else.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from face_engine.errors import PhotoReason, PhotoRefused
from face_engine.faces import Image

# A 12-megapixel phone photo at best quality stays below this; the forms send far less.
LARGEST_FILE = 16 * 1024 * 1024
# 24 megapixels decode to 72 MB. Phones that offer more also offer less.
MOST_PIXELS = 24_000_000
# OpenCV refuses sides past 2^20, and no camera makes strips.
LONGEST_SIDE = 16_384
# Below this there is no face to see.
SHORTEST_SIDE = 16
# Faces are searched at a few hundred pixels; larger pictures only fill the memory.
WORKING_SIDE = 1600

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"
# Frame headers carry the size; C4, C8 and CC are tables and an extension, not frames.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_SCAN = 0xDA
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class _Header:
    """What the bytes say of themselves: pixels before any turning."""

    width: int
    height: int
    orientation: int = 1


def _refuse(reason: PhotoReason) -> PhotoRefused:
    return PhotoRefused(reason)


def _exif_orientation(block: bytes) -> int:
    """The orientation tag (1..8) of a TIFF block; 1 when it has none or makes no sense."""
    order = {b"II": "little", b"MM": "big"}.get(block[:2])
    if order is None:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(block[at : at + size], "little" if order == "little" else "big")

    directory = number(4, 4)
    for entry in range(min(number(directory, 2), 256)):
        at = directory + 2 + 12 * entry
        if number(at, 2) == _EXIF_ORIENTATION:
            value = number(at + 8, 2)
            return value if value in range(1, 9) else 1
    return 1


def _jpeg_header(data: bytes) -> _Header:
    """Walk the segments to the first scan; then make sure that the end marker is there."""
    at, size, orientation = 2, None, 1
    while True:
        if at + 4 > len(data):
            raise _refuse(PhotoReason.IMAGE_TRUNCATED)
        if data[at] != 0xFF:
            raise _refuse(PhotoReason.NOT_AN_IMAGE)
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _JPEG_BARE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:  # noqa: PLR2004 — the length counts its own two bytes
            raise _refuse(PhotoReason.NOT_AN_IMAGE)
        body = data[at + 4 : at + 2 + length]
        if marker in _JPEG_FRAMES and len(body) >= 5:  # noqa: PLR2004 — depth, height, width
            size = (int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
        elif marker == 0xE1 and body.startswith(b"Exif\0\0"):
            orientation = _exif_orientation(body[6:])
        elif marker == _JPEG_SCAN:
            break
        at += 2 + length
    if size is None:
        raise _refuse(PhotoReason.NOT_AN_IMAGE)
    # In a scan 0xFF is always stuffed, so FF D9 after its start is an end marker. Cameras append
    # previews and clips after it: the first one found is enough.
    if data.find(_JPEG_END, at) < 0:
        raise _refuse(PhotoReason.IMAGE_TRUNCATED)
    return _Header(*size, orientation)


def _png_header(data: bytes) -> _Header:
    at, size, orientation = len(_PNG_START), None, 1
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        if size is None and (kind != b"IHDR" or len(body) < 8):  # noqa: PLR2004 — width, height
            raise _refuse(PhotoReason.NOT_AN_IMAGE)
        if kind == b"IHDR":
            size = (int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"))
        elif kind == b"eXIf":
            orientation = _exif_orientation(body)
        elif kind == _PNG_END:
            assert size is not None
            return _Header(*size, orientation)
        at += 12 + length
    raise _refuse(PhotoReason.IMAGE_TRUNCATED)


def _webp_header(data: bytes) -> _Header:
    whole = 8 + int.from_bytes(data[4:8], "little")
    if len(data) < whole or len(data) < 30:  # noqa: PLR2004 — the shortest header with a size
        raise _refuse(PhotoReason.IMAGE_TRUNCATED)
    at, size, orientation = 12, None, 1
    while at + 8 <= whole:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        if kind == b"VP8X":
            size = (
                1 + int.from_bytes(body[4:7], "little"),
                1 + int.from_bytes(body[7:10], "little"),
            )
        elif kind == b"VP8 " and size is None:
            size = (
                int.from_bytes(body[6:8], "little") & 0x3FFF,
                int.from_bytes(body[8:10], "little") & 0x3FFF,
            )
        elif kind == b"VP8L" and size is None:
            bits = int.from_bytes(body[1:5], "little")
            size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif kind in {b"ANIM", b"ANMF"}:  # a film is not a photo
            raise _refuse(PhotoReason.NOT_AN_IMAGE)
        elif kind == b"EXIF":
            orientation = _exif_orientation(body.removeprefix(b"Exif\0\0"))
        at += 8 + length + (length & 1)
    if size is None:
        raise _refuse(PhotoReason.NOT_AN_IMAGE)
    return _Header(*size, orientation)


def _read_header(data: bytes) -> _Header:
    if data.startswith(_JPEG_START):
        return _jpeg_header(data)
    if data.startswith(_PNG_START):
        return _png_header(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_header(data)
    raise _refuse(PhotoReason.NOT_AN_IMAGE)


def _turn_upright(image: Image, orientation: int) -> Image:
    """Undo an EXIF orientation (Exif 3.0, tag 0x0112)."""
    if orientation in {2, 4, 5, 7}:
        image = image[:, ::-1]
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(image, quarter_turns))


def decode_photo(data: bytes, *, longest_side: int = WORKING_SIDE) -> Image:
    """A stranger's bytes as an upright (H, W, 3) uint8 BGR picture.

    Larger pictures are shrunk to `longest_side` after decoding.

    Raises:
        PhotoRefused: not-an-image, image-truncated, or image-too-large (bytes, or pixels as the
            header has them; nothing is decoded then).
    """
    if len(data) > LARGEST_FILE:
        raise _refuse(PhotoReason.IMAGE_TOO_LARGE)
    header = _read_header(data)
    if min(header.width, header.height) < SHORTEST_SIDE:
        raise _refuse(PhotoReason.NOT_AN_IMAGE)
    if (
        header.width * header.height > MOST_PIXELS
        or max(header.width, header.height) > LONGEST_SIDE
    ):
        raise _refuse(PhotoReason.IMAGE_TOO_LARGE)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise _refuse(PhotoReason.NOT_AN_IMAGE)
    if decoded.shape[:2] != (header.height, header.width):
        # Two readers that disagree on the size: somebody built this file.
        raise _refuse(PhotoReason.NOT_AN_IMAGE)
    longest = max(decoded.shape[:2])
    if longest > longest_side:
        factor = longest_side / longest
        decoded = cv2.resize(decoded, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return _turn_upright(np.asarray(decoded, np.uint8), header.orientation)
