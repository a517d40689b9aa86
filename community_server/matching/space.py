"""One template space that the estate works in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from community_server.gallery import Gallery
from community_server.matching.shared_encoder import SharedEncoder
from community_server.thresholds import Thresholds
from face_engine.faces import Vectors
from face_engine.models import FacePack


@dataclass(frozen=True)
class Space:
    """What encodes into a space, who is known in it, and how strict the doors are there."""

    pack: FacePack
    encoder: SharedEncoder
    matrix: NDArray[np.float32] = field(repr=False)
    gallery: Gallery
    thresholds: Thresholds

    @property
    def name(self) -> str:
        """The template space's name."""
        return self.pack.template_space

    def lookalike(
        self, template: Vectors, person: str, newest: Mapping[str, Vectors] = MappingProxyType({})
    ) -> str | None:
        """Return whom the doors might take a person with this turned template for, or them for.

        The household counts: a family's faces are the likeliest to be mistaken for each other.
        `newest` are turned templates by person that the gallery does not know yet.
        """
        level = self.thresholds.risk_level
        found = self.gallery.find(template, level, lambda other: other != person)
        alike = (
            other
            for other, face in newest.items()
            if other != person and float(face @ template) >= level
        )
        return found or next(alike, None)
