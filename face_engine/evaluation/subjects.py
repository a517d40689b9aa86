"""The people of an evaluation, as the encoder sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_engine.encoder import normalise
from face_engine.faces import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One person's usable photos, in name order.

    Attributes:
        name: of the person's folder.
        plain: (n, d) float32 unit vectors of the photos.
        mirrored: the same of their mirror images.
        quality: (n,) float32, `Quality.score`.
        photos: (n,) their files; empty where nobody will look at them again.
    """

    name: str
    plain: Vectors
    mirrored: Vectors
    quality: NDArray[np.float32]
    photos: tuple[Path, ...] = ()

    def seen(self, photos: slice, *, mirrored: bool) -> Vectors:
        """Vectors to fuse: of some photos and, where `mirrored`, of their mirror images."""
        if not mirrored:
            return self.plain[photos]
        return np.concatenate((self.plain[photos], self.mirrored[photos]))


def portraits(subjects: Sequence[Subject], *, mirrored: bool = False) -> Vectors:
    """(P, d) one vector per person who has a usable photo: of the first one."""
    firsts = [subject for subject in subjects if len(subject.plain)]
    plain = np.stack([subject.plain[0] for subject in firsts])
    if not mirrored:
        return plain
    return normalise(plain + np.stack([subject.mirrored[0] for subject in firsts]))
