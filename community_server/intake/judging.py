"""Are these photos good, of one person, and of nobody else who is known already?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from community_server.gallery import Gallery
from community_server.thresholds import Thresholds
from face_engine.enrollment import judge
from face_engine.errors import PhotoRefused
from face_engine.faces import Vectors
from face_engine.models import FacePack
from face_engine.rotation import turn
from tier_link.envelopes import Photo


@dataclass(frozen=True)
class Face:
    """What good photos show: one template, turned, from `photos` photos."""

    template: Vectors = field(repr=False)
    photos: int


Look: TypeAlias = Face | PhotoRefused
"""What photos show, or why they cannot be used."""


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

    def look(self, photos: Sequence[Photo]) -> Look:
        """Look at one person's photos; they live in memory only, for the length of this call.

        Takes some 200 ms of CPU for each, and asks nothing of the database.
        """
        try:
            judged = judge(
                self.pack,
                [photo.data for photo in photos],
                threshold=self.thresholds.most_lenient,
            )
        except PhotoRefused as refused:
            return refused.with_traceback(None)  # whose frames would keep the photos
        return Face(turn(judged.template, self.matrix), len(photos))

    def judge(self, look: Look, person: str, known: Vectors | None = None) -> Judgement:
        """Judge what one person's photos show, against everybody known by now.

        `known` is the (d,) template, turned, by which this person is known so far.

        Raises:
            face_engine.errors.PhotoRefused: with the one reason and the photo meant.
        """
        if isinstance(look, PhotoRefused):
            raise look
        template = look.template
        # The bound by which the photos of one enrollment have to show one person.
        alike = self.thresholds.budget.calibration.same_person
        differs = known is not None and float(template @ known) < alike
        return Judgement(template, look.photos, self.lookalike(template, person), differs)

    def lookalike(self, template: Vectors, person: str) -> str | None:
        """Return whom the doors might take a person with this turned template for, or them for.

        The household counts: a family's faces are the likeliest to be mistaken for each other.
        """
        level = self.thresholds.risk_level
        return self.gallery.find(template, level, lambda other: other != person)
