"""From a weak door's question to a person or nobody."""

from collections.abc import Callable
from dataclasses import dataclass

from community_server.database import now
from community_server.matching.crops import decode_crops
from community_server.matching.space import Space
from community_server.people.fading import FadingBook
from community_server.rosters.book import RosterBook
from face_engine.encoder import as_probe, fuse
from face_engine.faces import Image, Vectors
from face_engine.gallery_index import Hit
from face_engine.rotation import turn
from tier_link.errors import RequestRefused
from tier_link.estate_messages import MatchAnswer, MatchRequest


@dataclass(frozen=True)
class Matcher:
    """Encodes a door's crops, turns the fused vector and searches the gallery.

    While a model is being replaced there is a `former` space beside: whoever is not known in the
    present one is looked for there. Aligned faces are the same for every model; galleries never
    mix.
    """

    space: Space
    former: Space | None
    book: RosterBook
    fading: FadingBook
    may_renew: Callable[[str], bool]
    """Whether a door may ask somebody known in the former space to have their face renewed."""

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
        if request.template_space != self.space.name:
            raise RequestRefused(
                "the door works in another template space", code="template-space-other"
            )
        crops = decode_crops(request.crops)
        threshold = self.space.thresholds.of(door).value
        found = self._find(self.space, threshold, door, crops, deadline)
        if found is not None:
            self.fading.note(found.id, found.score - threshold)
            return MatchAnswer(found.id, "match")
        if self.former is not None and len(self.former.gallery):
            threshold = self.former.thresholds.of(door).value
            found = self._find(self.former, threshold, door, crops, deadline)
        if found is None:
            return MatchAnswer("", "unknown-face")
        return MatchAnswer(found.id, "match", renewable=self.may_renew(found.id))

    def _find(
        self, space: Space, threshold: float, door: str, crops: Image, deadline: float
    ) -> Hit | None:
        probe = turn(fuse(space.encoder.encode(as_probe(crops), deadline)), space.matrix)
        moment = now()

        def allowed(person: str) -> bool:
            row = self.book.find(person)
            return row is not None and row.belongs_at(door, moment, self.book.groups)

        found = space.gallery.best(probe, allowed, at_least=threshold)
        if found is not None:
            self._count_nearest_other(space, door, probe, found.id)
        return found

    def _count_nearest_other(self, space: Space, door: str, probe: Vectors, person: str) -> None:
        """Count what somebody else of this population would have scored here."""
        family = self.book.household(person)
        other = space.gallery.best(probe, lambda one: one not in family)
        if other is not None:
            people = max(1, len(space.gallery) - len(family))
            space.thresholds.scores.note(door, other.score, people)
