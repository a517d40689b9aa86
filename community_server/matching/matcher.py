"""From a weak door's question to a person or nobody."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from community_server.budget import Budget
from community_server.database import now
from community_server.gallery import Gallery
from community_server.matching.crops import decode_crops
from community_server.matching.shared_encoder import SharedEncoder
from community_server.rosters.book import RosterBook
from face_engine.encoder import fuse
from face_engine.rotation import turn
from tier_link.errors import RequestRefused
from tier_link.estate_messages import MatchAnswer, MatchRequest


@dataclass(frozen=True)
class Matcher:
    """Encodes a door's crops, turns the fused vector and searches the gallery."""

    space: str
    encoder: SharedEncoder
    matrix: NDArray[np.float32] = field(repr=False)
    gallery: Gallery
    book: RosterBook
    budget: Budget

    def answer(self, door: str, request: MatchRequest, deadline: float) -> MatchAnswer:
        """Return the person at a door, or nobody.

        Args:
            door: Who asks.
            request: The question.
            deadline: Monotonic seconds after which nobody waits any more.

        Raises:
            RequestRefused: `template-space-other`, `crop-malformed`, `busy`.
            DeadlinePassed: the encoder was busy for too long.
        """
        if request.template_space != self.space:
            raise RequestRefused(
                "the door works in another template space", code="template-space-other"
            )
        vectors = self.encoder.encode(decode_crops(request.crops), deadline)
        probe = turn(fuse(vectors), self.matrix)
        moment = now()

        def allowed(person: str) -> bool:
            row = self.book.find(person)
            return row is not None and row.belongs_at(door, moment)

        threshold = self.budget.threshold(len(self.gallery)).value
        person = self.gallery.find(probe, threshold, allowed)
        return MatchAnswer(person or "", "match" if person else "unknown-face")
