"""The one gate for the faces that doors send."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from face_engine.alignment import CROP_SIZE
from face_engine.errors import PhotoRefused
from face_engine.faces import Image
from face_engine.image_headers import read_header
from tier_link.errors import RequestRefused

_SHAPE: Final = (CROP_SIZE, CROP_SIZE, 3)


def decode_crops(crops: Sequence[bytes]) -> Image:
    """JPEG or PNG faces to (N, 112, 112, 3) uint8 BGR.

    Raises:
        RequestRefused: `crop-malformed`, one is damaged or of another size.
    """
    return np.stack([_decode(crop) for crop in crops])


def _decode(crop: bytes) -> Image:
    try:
        header = read_header(crop)  # before any pixel: a few bytes can claim a huge picture
    except PhotoRefused as refused:
        raise _malformed() from refused
    if (header.height, header.width) != _SHAPE[:2]:
        raise _malformed()
    try:
        image = cv2.imdecode(np.frombuffer(crop, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise _malformed() from error
    if image is None or image.shape != _SHAPE:
        raise _malformed()
    return np.asarray(image, np.uint8)


def _malformed() -> RequestRefused:
    return RequestRefused("not an aligned face", code="crop-malformed")
