"""YuNet on onnxruntime: pixels in, faces out.

The decoding follows OpenCV's `FaceDetectorYN` (modules/objdetect/src/face_detect.cpp) and gives
its results; W. Wu, H. Peng, S. Yu: "YuNet: A Tiny Millisecond-level Face Detector" (2023).
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Face, Image, Session

STRIDES = (8, 16, 32)
# The network halves the picture five times; OpenCV pads to the same multiple.
_MULTIPLE = 32
# Suppression compares every pair of candidates; more than this in one frame is noise.
_MOST_CANDIDATES = 5000
# Two boxes that share more of their union are one face, as in OpenCV's samples.
_MOST_OVERLAP = 0.3
# No face of 5,927 portraits falls below the first; hardly anything else reaches it.
SURE_SCORE = 0.8
# The surest cells are the steadiest: this power of the score weighs them.
_CERTAINTY = 4
# Pixels between the eyes at which a face is still surely found: of 360 disturbed portraits none
# was missed at 16 and two at 12, but a head half turned away needs 20.
_EYES_FOUND = 20
_SMALLEST_SEARCH, _LARGEST_SEARCH = 160, 640
# Blurred, dark and tilted faces reach this; so do some things that are not faces.
UNSURE_SCORE = 0.5

Array = NDArray[np.float32]


def output_name(stride: int) -> str:
    """The prepared network's output (batch, cells, 16) for one stride."""
    return f"all_{stride}"


_OUTPUTS = [output_name(stride) for stride in STRIDES]


def pad(image: Image) -> Array:
    """(1, 3, H', W') float32 BGR 0..255, with zeros right and below up to a multiple of 32."""
    height, width = image.shape[:2]
    below, right = -height % _MULTIPLE, -width % _MULTIPLE
    make = np.zeros if below or right else np.empty
    blob = make((1, 3, height + below, width + right), np.float32)
    # One plane at a time: twice as fast as one transposition of the whole.
    for plane, source in zip(blob[0], cv2.split(image), strict=True):
        plane[:height, :width] = source
    return blob


def decode(outputs: Sequence[Array], width: int, threshold: float) -> Array:
    """Network outputs to (N, 15) rows: box 4, landmarks 10, score; those at or above threshold.

    `outputs` are (cells, 16) for strides 8, 16 and 32: two logits, box 4, landmarks 10; `width` is
    that of the padded picture.
    """
    # The score is the root of two probabilities' product, so neither is below its square.
    least = threshold**2
    least_logit = math.log(least / (1 - least))
    rows = []
    for stride, cells in zip(STRIDES, outputs, strict=True):
        likely = np.flatnonzero((cells[:, 0] >= least_logit) & (cells[:, 1] >= least_logit))
        if likely.size == 0:
            continue
        score = np.sqrt((1 / (1 + np.exp(-cells[likely, :2]))).prod(axis=1))
        kept = likely[score >= threshold]
        if kept.size == 0:
            continue
        columns = width // stride
        cell = np.stack((kept % columns, kept // columns), axis=1).astype(np.float32)
        size = np.exp(cells[kept, 4:6]) * stride
        corner = (cell + cells[kept, 2:4]) * stride - size / 2
        landmarks = (cells[kept, 6:].reshape(-1, 5, 2) + cell[:, None, :]) * stride
        rows.append(
            np.concatenate(
                (corner, size, landmarks.reshape(-1, 10), score[score >= threshold, None]),
                axis=1,
            ),
        )
    if not rows:
        return np.empty((0, 15), np.float32)
    return np.concatenate(rows).astype(np.float32)


def suppress(rows: Array, threshold: float, overlap: float) -> Array:
    """Keep the best of overlapping rows, best first; on whole-pixel boxes, as OpenCV does."""
    if len(rows) == 0:
        return rows
    boxes = rows[:, :4].astype(np.int32)
    kept = cv2.dnn.NMSBoxes(
        boxes.tolist(),
        rows[:, 14].tolist(),
        threshold,
        overlap,
        top_k=_MOST_CANDIDATES,
    )
    return rows[np.asarray(kept, np.intp).reshape(-1)]


def search_side(image: Image, least_eyes: float) -> int:
    """Pixels of the longest side to search where faces with closer eyes do not count.

    A closer look gives fine landmarks afterwards, so the search itself need only find the face:
    at half the resolution it costs a quarter. Past 640 pixels smaller faces are let go.
    """
    side = max(image.shape[:2]) * _EYES_FOUND / least_eyes
    whole = int(math.ceil(side / _MULTIPLE) * _MULTIPLE)
    return min(max(whole, _SMALLEST_SEARCH), _LARGEST_SEARCH)


def shrink(image: Image, longest_side: int | None) -> tuple[Image, float]:
    """The picture with its longer side at most `longest_side`, and the factor to go back."""
    longest = max(image.shape[:2])
    if longest_side is None or longest <= longest_side:
        return image, 1.0
    factor = longest / longest_side
    size = (max(1, round(image.shape[1] / factor)), max(1, round(image.shape[0] / factor)))
    # Averaging whole blocks and interpolating the rest is ten times as fast as averaging parts.
    block = int(factor)
    if block > 1:
        whole = (image.shape[1] // block, image.shape[0] // block)
        image = np.asarray(cv2.resize(image, whole, interpolation=cv2.INTER_AREA), np.uint8)
        if whole == size:
            return image, factor
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8), factor


class YuNetDetector:
    """Finds faces of some 10 to 300 pixels in a picture of any size."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def detect(
        self,
        image: Image,
        *,
        longest_side: int | None = None,
        unsure: bool = False,
    ) -> list[Face]:
        """All faces of an (H, W, 3) uint8 BGR picture, best score first; see `Detector`."""
        threshold = UNSURE_SCORE if unsure else SURE_SCORE
        small, factor = shrink(image, longest_side)
        rows = suppress(self._candidates(small, threshold), threshold, _MOST_OVERLAP)
        return [
            Face(
                box=row[:4] * factor,
                landmarks=row[4:14].reshape(5, 2) * factor,
                score=float(row[14]),
            )
            for row in rows
        ]

    def landmarks_near(
        self, image: Image, expected: NDArray[np.float64], farthest: float
    ) -> list[NDArray[np.float64] | None]:
        """See `Detector`; averaged over all cells that see the face, by a power of their score."""
        rows = self._candidates(image, UNSURE_SCORE)
        landmarks = rows[:, 4:14].reshape(-1, 5, 2).astype(np.float64)
        found: list[NDArray[np.float64] | None] = []
        for place in expected:
            near = np.abs(landmarks - place).mean(axis=(1, 2)) < farthest
            weights = rows[near, 14].astype(np.float64) ** _CERTAINTY
            total = weights.sum()
            found.append(np.tensordot(weights, landmarks[near], axes=1) / total if total else None)
        return found

    def _candidates(self, image: Image, threshold: float) -> Array:
        blob = pad(image)
        outputs = self._session.run(_OUTPUTS, {"input": blob})
        return decode([level[0] for level in outputs], blob.shape[3], threshold)
