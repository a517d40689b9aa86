"""Are these photos good, of one person, and of nobody else who is known already?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_server.gallery import Gallery
from community_server.thresholds import Thresholds
from face_engine.enrollment import judge
from face_engine.faces import Vectors
from face_engine.models import FacePack
from face_engine.rotation import turn
from tier_link.envelopes import Photo


@dataclass(frozen=True)
class Judgement:
    """What the photos of one enrollment came to.

    `template` is turned, from `photos` photos; `resembles` the other person it might be taken
    for, if any; `differs` says that it does not look like the face known of this person.
    """

    template: Vectors
    photos: int
    resembles: str | None
    differs: bool

    def __repr__(self) -> str:
        return "Judgement(…)"


@dataclass(frozen=True)
class PhotoJudge:
    """Judges photos with the doors' own model."""

    pack: FacePack
    matrix: NDArray[np.float32]
    gallery: Gallery
    thresholds: Thresholds

    def judge(
        self, photos: Sequence[Photo], person: str, known: Vectors | None = None
    ) -> Judgement:
        """Judge one person's photos; they live in memory only, for the length of this call.

        `known` is the (d,) template, turned, by which this person is known so far.

        Raises:
            face_engine.errors.PhotoRefused: with the one reason and the photo meant.
        """
        judged = judge(self.pack, [photo.data for photo in photos])
        template = turn(judged.template, self.matrix)
        # The bound by which the photos of one enrollment have to show one person.
        alike = self.thresholds.budget.calibration.same_person
        differs = known is not None and float(template @ known) < alike
        return Judgement(template, len(photos), self.lookalike(template, person), differs)

    def lookalike(self, template: Vectors, person: str) -> str | None:
        """Return whom the doors might take a person with this turned template for, or them for.

        The household counts: a family's faces are the likeliest to be mistaken for each other.
        """
        level = self.thresholds.risk_level
        return self.gallery.find(template, level, lambda other: other != person)
