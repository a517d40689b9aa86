"""Matching for doors too weak to do it: who is this, among those who may use that door?"""

import logging
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from community_server.budget import Budget
from community_server.database import now
from community_server.gallery import Gallery
from community_server.rosters.book import RosterBook
from face_engine.encoder import fuse
from face_engine.models import FacePack
from face_engine.rotation import turn
from tier_link.errors import RequestRefused
from tier_link.estate_messages import MatchAnswer, MatchRequest

_log = logging.getLogger(__name__)

CROP_SIDE: Final = 112
"""Pixels: what the encoders take, and what doors therefore send."""


@dataclass(frozen=True)
class Matcher:
    """Encodes a door's crops, turns the fused vector and searches the gallery."""

    pack: FacePack
    matrix: NDArray[np.float32]
    gallery: Gallery
    book: RosterBook
    budget: Budget

    def answer(self, door: str, request: MatchRequest) -> MatchAnswer:
        """Return the person at a door, or nobody.

        Raises:
            RequestRefused: `template-space-other`, `crop-malformed`.
        """
        if request.template_space != self.pack.template_space:
            raise RequestRefused(
                "the door works in another template space", code="template-space-other"
            )
        crops = np.stack([_decode(crop) for crop in request.crops])
        probe = turn(fuse(self.pack.encoder.encode(crops)), self.matrix)
        moment = now()

        def allowed(person: str) -> bool:
            row = self.book.find(person)
            return row is not None and row.belongs_at(door, moment)

        threshold = self.budget.threshold(len(self.gallery)).value
        person = self.gallery.find(probe, threshold, allowed)
        return MatchAnswer(person or "", "match" if person else "unknown-face")


def _decode(crop: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(crop, np.uint8), cv2.IMREAD_COLOR)
    if image is None or image.shape != (CROP_SIDE, CROP_SIDE, 3):
        raise RequestRefused("not an aligned face", code="crop-malformed")
    return np.asarray(image, np.uint8)
