"""One face in a frame of the size that cameras at doors give, from InsightFace's sample photo."""

from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np

from face_engine.alignment import align
from face_engine.faces import Image
from face_engine.landmarks import refine
from face_engine.models import FacePack


@dataclass(frozen=True, eq=False)
class Sample:
    """`frame` is 640 x 480 and shows one face, `crop` that face aligned."""

    frame: Image
    crop: Image


def sample(pack: FacePack) -> Sample:
    """Cut the frame out of the photo and align its face."""
    photo = cv2.imread(str(resources.files("insightface") / "data" / "images" / "t1.jpg"))
    if photo is None:
        raise SystemExit("InsightFace's sample photo cannot be read")
    frame = np.asarray(cv2.resize(photo[200:470, 0:360], (640, 480)), np.uint8)
    face = refine(pack.detector, frame, pack.detector.detect(frame)[0])
    return Sample(frame, align(frame, face.landmarks))
