"""From aligned faces to unit vectors, and from several vectors to one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Encoder, Image, Session, Vectors

# More faces in one run push the network's working memory out of the processor's cache: a face of
# sixteen costs a quarter more than one of two.
LARGEST_BATCH = 2


def to_blob(crops: Image) -> NDArray[np.float32]:
    """(N, H, W, 3) uint8 BGR to (N, 3, H, W) float32 RGB, 0..255."""
    return np.ascontiguousarray(crops[..., ::-1].transpose(0, 3, 1, 2), dtype=np.float32)


def normalise(vectors: NDArray[np.floating]) -> Vectors:
    """Scale along the last axis to unit length; a zero vector stays zero."""
    wide = np.asarray(vectors, np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    return np.asarray(wide / np.where(length == 0, 1, length), np.float32)


class SFaceEncoder:
    """SFace (Y. Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss", 2021), 128 values."""

    def __init__(self, session: Session, *, largest_batch: int = LARGEST_BATCH) -> None:
        self._session = session
        self._largest_batch = largest_batch

    @property
    def dimension(self) -> int:
        """Values in one vector."""
        return 128

    def encode(self, crops: Image) -> Vectors:
        """(N, 112, 112, 3) uint8 BGR aligned faces to (N, 128) float32 of unit length."""
        step = self._largest_batch
        outputs = [
            # A copy: a runtime may use its output's memory again.
            np.array(self._session.run(["fc1"], {"data": to_blob(crops[start : start + step])})[0])
            for start in range(0, len(crops), step)
        ]
        if not outputs:
            return np.empty((0, self.dimension), np.float32)
        return normalise(np.concatenate(outputs))


def encode_with_mirror(encoder: Encoder, crops: Image) -> Vectors:
    """Each crop and its mirror image, encoded and fused: (N, d) float32 of unit length.

    Twice the work of `encode`; worth it at enrollment, where it happens once.
    """
    both = encoder.encode(np.concatenate((crops, crops[:, :, ::-1])))
    return normalise(both[: len(crops)] + both[len(crops) :])


def as_probe(crops: Image, *, earlier: int = 0) -> Image:
    """The frames of one sighting as they are encoded: every second one mirrored.

    The frames of a sighting are alike; a mirrored one says more beside a plain one than another
    plain one does, and costs no more. How much stands in `docs/face-engine.md`.

    Args:
        crops: (N, 112, 112, 3) uint8 BGR aligned faces of one sighting.
        earlier: frames of it that went before.
    """
    turned = crops.copy()
    turned[1 - earlier % 2 :: 2] = crops[1 - earlier % 2 :: 2, :, ::-1]
    return turned


def fuse(vectors: Vectors | Sequence[Vectors], weights: Sequence[float] | None = None) -> Vectors:
    """The weighted mean direction of (N, d) vectors of one person: (d,) float32, unit length."""
    stacked = np.asarray(vectors, np.float64)
    if stacked.ndim != 2 or len(stacked) == 0:  # noqa: PLR2004 — N vectors of d values
        raise ValueError("fuse needs at least one vector, as rows")
    share = np.ones(len(stacked)) if weights is None else np.asarray(weights, np.float64)
    return normalise(share @ stacked)
