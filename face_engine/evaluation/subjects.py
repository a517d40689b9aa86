"""The people of an evaluation, as the encoder sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_engine.encoder import normalise
from face_engine.faces import Vectors


class Mirror(StrEnum):
    """Of whom mirror images are seen, too.

    From `GALLERY` on each enrolled photo is fused with its mirror image; with `ALTERNATE`, as doors
    do it, every second frame of a probe is seen mirrored instead, with `BOTH` each one as well.
    """

    NONE = "none"
    GALLERY = "gallery"
    ALTERNATE = "alternate"
    BOTH = "both"


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

    def probe(self, photos: slice, mirror: Mirror) -> Vectors:
        """Vectors to fuse into a probe of some photos."""
        if mirror is not Mirror.ALTERNATE:
            return self.seen(photos, mirrored=mirror is Mirror.BOTH)
        vectors = self.plain[photos].copy()
        vectors[1::2] = self.mirrored[photos][1::2]
        return vectors


def portraits(subjects: Sequence[Subject], *, mirrored: bool = False) -> Vectors:
    """(P, d) one vector per person who has a usable photo: of the first one."""
    firsts = [subject for subject in subjects if len(subject.plain)]
    plain = np.stack([subject.plain[0] for subject in firsts])
    if not mirrored:
        return plain
    return normalise(plain + np.stack([subject.mirrored[0] for subject in firsts]))
