"""Are these photos good, of one person, and of nobody else who is known already?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_server.budget import Budget
from community_server.gallery import Gallery
from face_engine.enrollment import judge
from face_engine.faces import Vectors
from face_engine.models import FacePack
from face_engine.rotation import turn
from tier_link.envelopes import Photo


@dataclass(frozen=True)
class Judgement:
    """What the photos of one enrollment came to.

    `template` is turned, from `photos` photos; `resembles` the other person it would be taken
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
    budget: Budget

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
        threshold = self.budget.reckon(len(self.gallery)).value
        resembles = self.gallery.find(template, threshold, lambda other: other != person)
        # The bound by which the photos of one enrollment have to show one person.
        alike = self.budget.calibration.same_person
        differs = known is not None and float(template @ known) < alike
        return Judgement(template, len(photos), resembles, differs)
