"""A community's secret turn of the template space.

Inner products stay exact, so matching works on turned vectors as on plain ones, while the
galleries of two communities cannot be joined by accident. It is not encryption: as many known
pairs as there are dimensions recover the matrix.
"""

import secrets

import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Vectors


def random_rotation(dimension: int, seed: int | None = None) -> NDArray[np.float32]:
    """A (d, d) float32 orthonormal matrix, uniform over all of them (Haar measure).

    Without a seed it comes from the operating system's entropy. F. Mezzadri, "How to generate
    random matrices from the classical compact groups", Notices of the AMS 54 (2007).
    """
    source = np.random.default_rng(secrets.randbits(256) if seed is None else seed)
    q, r = np.linalg.qr(source.standard_normal((dimension, dimension)))
    return np.asarray(q * np.sign(np.diag(r)), np.float32)


def turn(vectors: Vectors, matrix: NDArray[np.float32]) -> Vectors:
    """(N, d) or (d,) vectors in the space of a (d, d) matrix; lengths and angles stay."""
    return np.asarray(vectors @ matrix.T, np.float32)
