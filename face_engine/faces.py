"""The values and protocols that stand between detection, alignment and encoding."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""A picture, (H, W, 3) uint8, BGR as OpenCV has it."""

Vectors = NDArray[np.float32]
"""Face vectors, (N, d) or (d,) float32, of unit length."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face, in pixels of the picture it was found in.

    Attributes:
        box: (4,) float32: left, top, width, height; may reach outside the picture.
        landmarks: (5, 2) float32, x and y: the eye at the left of the picture, the other eye,
            tip of the nose, the corner of the mouth at the left of the picture, the other corner.
        score: the detector's confidence, 0..1.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float

    @property
    def eye_distance(self) -> float:
        """Pixels between the eyes."""
        return float(np.linalg.norm(self.landmarks[1] - self.landmarks[0]))


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(
        self,
        image: Image,
        *,
        longest_side: int | None = None,
        unsure: bool = False,
    ) -> list[Face]:
        """All faces, best score first.

        `longest_side` bounds the resolution searched: the picture is shrunk (never grown) for
        the search, and positions are given in the picture's own pixels. With `unsure`, also
        what only may be a face: dark, blurred, tilted.
        """
        ...

    def landmarks_near(
        self, image: Image, expected: NDArray[np.float64], farthest: float
    ) -> list[NDArray[np.float64] | None]:
        """The (5, 2) landmarks of the face at each of (K, 5, 2) expected places, or None.

        A face counts whose landmarks lie within `farthest` pixels of the expected ones on average.
        As steady as the detector can tell: where it has several opinions, they are averaged.
        """
        ...


class Encoder(Protocol):
    """Turns aligned faces into vectors."""

    @property
    def dimension(self) -> int:
        """Values in one vector."""
        ...

    def encode(self, crops: Image) -> Vectors:
        """(N, 112, 112, 3) uint8 BGR aligned faces to (N, dimension) float32 of unit length."""
        ...


class Session(Protocol):
    """The part of an onnxruntime `InferenceSession` that is used here."""

    def run(self, output_names: list[str] | None, input_feed: dict[str, Any]) -> list[Any]:
        """The outputs named, or all, for the inputs given."""
        ...
