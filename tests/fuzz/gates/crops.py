"""An aligned face that a door sends: `community_server.matching.crops.decode_crops`."""

from collections.abc import Sequence

import cv2
import numpy as np

from community_server.matching.crops import decode_crops
from tests.fuzz.gate import Gate
from tier_link.errors import RequestRefused


def seeds() -> Sequence[bytes]:
    face = np.zeros((112, 112, 3), np.uint8)
    face[30:80, 40:70] = (90, 120, 200)
    return [cv2.imencode(kind, face)[1].tobytes() for kind in (".jpg", ".png", ".webp")]


GATE = Gate(
    lambda data: decode_crops([data]),
    seeds,
    (RequestRefused,),
    most=8192,
)
