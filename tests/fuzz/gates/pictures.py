"""A stranger's photo: `face_engine.images.decode_photo`.

The fuzzer sees the walk through headers, which is ours. The decoders are OpenCV's, in native code
that is not instrumented: of them it sees what they answer, how long they take and whether the
process lives.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from face_engine.errors import PhotoRefused
from face_engine.images import decode_photo
from tests.fuzz.gate import Gate


def seeds() -> Sequence[bytes]:
    small = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    kinds: tuple[tuple[str, list[int]], ...] = (
        (".jpg", []),
        (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 1]),
        (".png", []),
        (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101]),
        (".webp", [cv2.IMWRITE_WEBP_QUALITY, 50]),
    )
    made = [cv2.imencode(kind, small, options)[1].tobytes() for kind, options in kinds]
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
    turned = made[0][:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + made[0][2:]
    return [*made, turned]


GATE = Gate(decode_photo, seeds, (PhotoRefused,), most=8192, seconds=2.0)
