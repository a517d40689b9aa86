"""From a weak door's question to a person or nobody."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from community_server.database import now
from community_server.gallery import Gallery
from community_server.matching.crops import decode_crops
from community_server.matching.shared_encoder import SharedEncoder
from community_server.people.fading import FadingBook
from community_server.rosters.book import RosterBook
from community_server.thresholds import Thresholds
from face_engine.encoder import fuse
from face_engine.faces import Vectors
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
    thresholds: Thresholds
    fading: FadingBook

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

        threshold = self.thresholds.of(door).value
        found = self.gallery.best(probe, allowed, at_least=threshold)
        if found is None:
            return MatchAnswer("", "unknown-face")
        self.fading.note(found.id, found.score - threshold)
        self._count_nearest_other(door, probe, found.id)
        return MatchAnswer(found.id, "match")

    def _count_nearest_other(self, door: str, probe: Vectors, person: str) -> None:
        """Count what somebody else of this population would have scored here."""
        family = self.book.household(person)
        other = self.gallery.best(probe, lambda one: one not in family)
        if other is not None:
            self.thresholds.scores.note(door, other.score, len(self.gallery) - len(family))
