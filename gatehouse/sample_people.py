"""Six different people from the photo that InsightFace ships, for demo, tests and benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from face_engine.models import FacePack
from gatehouse.scenes import Cutout, Image, cut_out

NAMES: Final = ("Ada", "Bao", "Chen", "Dora", "Emil", "Fang")
"""From left to right."""

_WALL: Final = 170  # grey behind a portrait
_ENLARGED: Final = 2.5  # the sample's faces are some 100 pixels wide; a selfie's are more
_MARGIN: Final = 80  # pixels around the head


@dataclass(frozen=True)
class SamplePerson:
    """One of the six: the portrait they enroll with and how they look at the door."""

    name: str
    portrait: bytes = field(repr=False)
    cutout: Cutout = field(repr=False)


def sample_photo() -> Path:
    """Return the sample photo inside the installed `insightface`, without importing that.

    Raises:
        ModuleNotFoundError: insightface is not installed.
    """
    spec = find_spec("insightface")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the sample photo comes with insightface", name="insightface")
    return Path(spec.origin).parent / "data" / "images" / "t1.jpg"


def sample_people(pack: FacePack) -> Sequence[SamplePerson]:
    """Find the six people, from left to right."""
    image = np.asarray(cv2.imread(str(sample_photo())), np.uint8)
    faces = sorted(pack.detector.detect(image), key=lambda face: float(face.box[0]))
    cutouts = [cut_out(image, face.box) for face in faces]
    return [
        SamplePerson(name, portrait(cutout), cutout)
        for name, cutout in zip(NAMES, cutouts, strict=True)
    ]


def portrait(head: Cutout) -> bytes:
    """Put one head before a plain wall, enlarged, as JPEG bytes: a photo of one person alone."""
    alone: Image = (head.pixels * head.mask + _WALL * (1 - head.mask)).astype(np.uint8)
    larger = cv2.resize(alone, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC)
    margins = (_MARGIN,) * 4
    framed = cv2.copyMakeBorder(larger, *margins, cv2.BORDER_CONSTANT, value=(_WALL,) * 3)
    return cv2.imencode(".jpg", framed, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
