"""InsightFace's liveness add-on: one network that sees the aligned face and what is around it.

Pictures are cut and shown as `insightface.addons.liveness` of insightface 2.1 does it, without
that package. Its weights are for non-commercial research only (`models.licences`).
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.alignment import similarity
from face_engine.faces import Face, Image, Session
from face_engine.liveness.fusion import PASSIVE_EVEN

SIDE: Final = 80
TARGET: Final[NDArray[np.float64]] = np.array(
    [[32.03, 38.06], [47.89, 37.98], [40.01, 47.08], [33.50, 56.36], [46.63, 56.29]]
)
"""Where the landmarks come to lie: the face is a fifth as wide as what is shown of it."""
MOST_OUTSIDE: Final = 0.30
"""Share of what would be shown that may lie beyond the picture; the add-on's own limit."""
_OWN_EVEN: Final = 0.8
"""The add-on takes this and more for live."""
_ODDS: Final = (PASSIVE_EVEN / (1 - PASSIVE_EVEN)) / (_OWN_EVEN / (1 - _OWN_EVEN))
"""Lays its threshold on the fusion's; no weights were at hand to fit more than that."""


def upright(image: Image, landmarks: NDArray[np.floating]) -> Image | None:
    """The face at (5, 2) landmarks and what is around it, (80, 80, 3) uint8 BGR.

    Beyond the picture its edge goes on; None where that would be more than `MOST_OUTSIDE`.
    """
    onto = similarity(landmarks, TARGET)
    inside = cv2.warpAffine(np.ones(image.shape[:2], np.float32), onto, (SIDE, SIDE))
    if 1 - float(inside.mean()) > MOST_OUTSIDE:
        return None
    part = cv2.warpAffine(image, onto, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(part, np.uint8)


class InsightFaceLiveness:
    """The add-on's network; may be used from several threads at once."""

    def __init__(self, network: Session, input_name: str) -> None:
        """Take the network and what it calls its one input, (1, 3, 80, 80) RGB 0..1.

        Its one output is (1,), the probability of a live face.
        """
        self._network = network
        self._input = input_name

    def live(self, image: Image, face: Face) -> float | None:
        """How alike a live face this is; see `PassiveLiveness`."""
        picture = upright(image, face.landmarks)
        if picture is None:
            return None
        colours = picture[:, :, ::-1].transpose(2, 0, 1)[None]
        blob = np.ascontiguousarray(colours, dtype=np.float32) / np.float32(255)
        ((own,),) = self._network.run(None, {self._input: blob})
        odds = float(own) * _ODDS
        return odds / (odds + (1 - float(own)))
