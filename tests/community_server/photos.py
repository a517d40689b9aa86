"""Photos that cannot be used, each in its own way."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from face_engine.alignment import align
from face_engine.faces import Image
from face_engine.landmarks import refine
from face_engine.models import FacePack
from gatehouse.sample_people import SamplePerson, sample_photo


def _open(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def jpeg(image: Any, quality: int = 92) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def no_face() -> bytes:
    return jpeg(np.full((600, 480, 3), 150, np.uint8))


def several_faces() -> bytes:
    return sample_photo().read_bytes()


def tiny(portrait: bytes) -> bytes:
    image = _open(portrait)
    small = cv2.resize(image, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA)
    wall = np.full((480, 640, 3), 170, np.uint8)
    height, width = small.shape[:2]
    wall[200 : 200 + height, 300 : 300 + width] = small
    return jpeg(wall)


def dark(portrait: bytes) -> bytes:
    return jpeg((_open(portrait) * 0.06).astype(np.uint8))


def blurred(portrait: bytes) -> bytes:
    return jpeg(cv2.GaussianBlur(_open(portrait), (0, 0), 14))


def truncated(portrait: bytes) -> bytes:
    return portrait[: len(portrait) // 2]


def bomb(width: int = 10_000, height: int = 5_000) -> bytes:
    """A valid grey PNG of many megapixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    row = b"\0" + b"\xff" * ((width + 7) // 8)
    rows = zlib.compress(row * height, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def pdf() -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n" * 20


def sideways(portrait: bytes) -> bytes:
    """The portrait stored on its side, with EXIF saying how to turn it back (orientation 6)."""
    turned = jpeg(cv2.rotate(_open(portrait), cv2.ROTATE_90_COUNTERCLOCKWISE))
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    body = b"Exif\0\0" + tiff
    return turned[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + turned[2:]


def aligned(pack: FacePack, portrait: bytes) -> Image:
    """The portrait's face as a door would send it: (112, 112, 3) uint8 BGR."""
    image = _open(portrait)
    face = pack.detector.detect(image, longest_side=640)[0]
    return align(image, refine(pack.detector, image, face).landmarks)


def portraits(people: Sequence[SamplePerson]) -> list[bytes]:
    return [one.portrait for one in people]


def brighter(portrait: bytes, times: float = 1.15) -> bytes:
    """Another photo of the same person, in other light."""
    return jpeg(np.clip(_open(portrait) * times, 0, 255).astype(np.uint8))
