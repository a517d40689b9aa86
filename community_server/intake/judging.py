"""Are these photos good, of one person, and of nobody else who is known already?"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from community_server.matching import Space
from face_engine.enrollment import judge
from face_engine.errors import PhotoRefused
from face_engine.faces import Vectors
from face_engine.models import FacePack
from face_engine.rotation import turn
from tier_link.envelopes import Photo


@dataclass(frozen=True)
class Face:
    """What good photos show: one template, turned, from `photos` photos.

    `former` is the same by the model before, while people are still known by that.
    """

    template: Vectors = field(repr=False)
    photos: int
    former: Vectors | None = field(default=None, repr=False)


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
    """Judges photos with the doors' own model; `former` is the space before, while there is one."""

    space: Space
    former: Space | None = None

    @property
    def pack(self) -> FacePack:
        """The doors' own model."""
        return self.space.pack

    def look(self, photos: Sequence[Photo]) -> Look:
        """Look at one person's photos; they live in memory only, for the length of this call.

        Takes some 200 ms of CPU for each, and asks nothing of the database.
        """
        data = [photo.data for photo in photos]
        try:
            threshold = self.space.thresholds.most_lenient
            template = judge(self.pack, data, threshold=threshold).template
        except PhotoRefused as refused:
            return refused.with_traceback(None)  # whose frames would keep the photos
        return Face(turn(template, self.space.matrix), len(photos), self._in_former(data))

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
        alike = self.space.thresholds.budget.calibration.same_person
        differs = known is not None and float(template @ known) < alike
        resembles = self.lookalike(template, person)
        if resembles is None and self.former is not None and look.former is not None:
            resembles = self.former.lookalike(look.former, person)
        return Judgement(template, look.photos, resembles, differs)

    def lookalike(self, template: Vectors, person: str) -> str | None:
        """Return whom the doors might take a person with this turned template for, or them for."""
        return self.space.lookalike(template, person)

    def _in_former(self, photos: Sequence[bytes]) -> Vectors | None:
        """Encode good photos into the space before as well: faces found once serve both."""
        if self.former is None or not len(self.former.gallery):
            return None
        pack = replace(self.former.pack, detector=self.pack.detector)
        try:
            return turn(judge(pack, photos).template, self.former.matrix)
        except PhotoRefused:  # of its own opinion whether they show one person
            return None
