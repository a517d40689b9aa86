"""Are these photos good, of one person, and of nobody else who is known already?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

from community_server.matching import Space
from face_engine.enrollment import judge
from face_engine.errors import PhotoRefused
from face_engine.faces import Vectors
from face_engine.models import FacePack
from face_engine.rotation import turn


@dataclass(frozen=True)
class Face:
    """What good photos show: one template, turned, from `photos` photos.

    `former` is the same by the model before, while people are still known by that.
    """

    template: Vectors = field(repr=False)
    photos: int
    former: Vectors | None = field(default=None, repr=False)


@dataclass(frozen=True)
class KnownFace:
    """The face known of a person so far: a (d,) template, turned, in the template space named."""

    template: Vectors = field(repr=False)
    space: str


Look: TypeAlias = Face | PhotoRefused
"""What photos show, or why they cannot be used."""


@dataclass(frozen=True)
class Judgement:
    """What the photos of one enrollment came to.

    `template` is turned, from `photos` photos; `resembles` the other person it might be taken
    for, if any; `differs` says that it does not look like the face known of this person;
    `uncompared` that something known by a model before could not be compared with it.
    """

    template: Vectors
    photos: int
    resembles: str | None
    differs: bool
    uncompared: bool

    @property
    def doubt(self) -> str:
        """The gravest reason why these photos are for the desk to look at, or nothing."""
        if self.differs:
            return "differs"
        if self.resembles is not None:
            return "resembles"
        return "uncompared" if self.uncompared else ""

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

    def look(self, photos: Sequence[bytes]) -> Look:
        """Look at one person's photos, as they were sent.

        They live in memory only, for the length of this call. Takes some 200 ms of CPU for each,
        and asks nothing of the database.
        """
        try:
            threshold = self.space.thresholds.most_lenient
            template = judge(self.pack, photos, threshold=threshold).template
        except PhotoRefused as refused:
            return refused.with_traceback(None)  # whose frames would keep the photos
        return Face(turn(template, self.space.matrix), len(photos), self._in_former(photos))

    def judge(
        self,
        look: Look,
        person: str,
        known: KnownFace | None = None,
        newest: Mapping[str, Vectors] = MappingProxyType({}),
    ) -> Judgement:
        """Judge what one person's photos show, against everybody known by now.

        `known` is the face by which this person is known so far; `newest` are turned templates
        by person that the gallery does not know yet.

        Raises:
            face_engine.errors.PhotoRefused: with the one reason and the photo meant.
        """
        if isinstance(look, PhotoRefused):
            raise look
        resembles = self.space.lookalike(look.template, person, newest)
        uncompared = False
        if self.former is not None and len(self.former.gallery):
            if look.former is None:
                uncompared = True
            elif resembles is None:
                resembles = self.former.lookalike(look.former, person)
        alike = self._is_alike(look, known) if known is not None else True
        return Judgement(
            look.template,
            look.photos,
            resembles,
            differs=alike is False,
            uncompared=uncompared or alike is None,
        )

    def lookalike(self, template: Vectors, person: str) -> str | None:
        """Return whom the doors might take a person with this turned template for, or them for."""
        return self.space.lookalike(template, person)

    def _is_alike(self, face: Face, known: KnownFace) -> bool | None:
        """Say whether both may be one person; None where no space has both."""
        for space, template in ((self.space, face.template), (self.former, face.former)):
            if space is not None and template is not None and space.name == known.space:
                # The bound by which the photos of one enrollment have to show one person.
                bound = space.thresholds.budget.calibration.same_person
                return float(template @ known.template) >= bound
        return None

    def _in_former(self, photos: Sequence[bytes]) -> Vectors | None:
        """Encode good photos into the space before as well: faces found once serve both."""
        if self.former is None or not len(self.former.gallery):
            return None
        pack = replace(self.former.pack, detector=self.pack.detector)
        try:
            return turn(judge(pack, photos).template, self.former.matrix)
        except PhotoRefused:  # of its own opinion whether they show one person
            return None
