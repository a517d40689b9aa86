"""The one gate through which a stranger's photo bytes become pixels.

Type, size and wholeness are read from the bytes before anything is decoded, so that a picture of
a few kilobytes cannot ask for gigabytes, and half a photo is refused instead of turning grey.
JPEG (ISO/IEC 10918-1), PNG (W3C PNG, third edition) and WebP (RFC 9649) pass; nothing else.
"""

import cv2
import numpy as np

from face_engine.errors import PhotoReason, PhotoRefused
from face_engine.faces import Image
from face_engine.image_headers import read_header

# A 12-megapixel phone photo at best quality stays below this; the forms send far less.
LARGEST_FILE = 16 * 1024 * 1024
# Phones' usual "24 megapixels" are 24.5 million and decode to 74 MB; those that offer more
# also offer less.
MOST_PIXELS = 25_000_000
# Bytes that a decoding may take beside the file: the decoders' own planes and the picture that they
# make. A test holds it, with the largest picture of each kind, in a process that can have no more.
DECODING_MEMORY = 384 * 1024 * 1024
# OpenCV refuses sides past 2^20, and no camera makes strips.
LONGEST_SIDE = 16_384
# Below this there is no face to see.
SHORTEST_SIDE = 16
# Faces are searched at a few hundred pixels; larger pictures only fill the memory.
WORKING_SIDE = 1600


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
        raise PhotoRefused(PhotoReason.IMAGE_TOO_LARGE)
    header = read_header(data)
    if min(header.width, header.height) < SHORTEST_SIDE:
        raise PhotoRefused(PhotoReason.NOT_AN_IMAGE)
    if (
        header.width * header.height > MOST_PIXELS
        or max(header.width, header.height) > LONGEST_SIDE
    ):
        raise PhotoRefused(PhotoReason.IMAGE_TOO_LARGE)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise PhotoRefused(PhotoReason.NOT_AN_IMAGE)
    if decoded.shape[:2] != (header.height, header.width):
        # Two readers that disagree on the size: somebody built this file.
        raise PhotoRefused(PhotoReason.NOT_AN_IMAGE)
    longest = max(decoded.shape[:2])
    if longest > longest_side:
        factor = longest_side / longest
        decoded = cv2.resize(decoded, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return _turn_upright(np.asarray(decoded, np.uint8), header.orientation)
