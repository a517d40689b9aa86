"""YuNet on onnxruntime: pixels in, faces out.

The decoding follows OpenCV's `FaceDetectorYN` (modules/objdetect/src/face_detect.cpp) and gives
its results; W. Wu, H. Peng, S. Yu: "YuNet: A Tiny Millisecond-level Face Detector" (2023).
"""

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Face, Image, Session

STRIDES = (8, 16, 32)
# The network halves the picture five times; OpenCV pads to the same multiple.
_MULTIPLE = 32
# Suppression compares every pair of candidates; more than this in one frame is noise.
_MOST_CANDIDATES = 5000
# A door searches pictures of one size and looks closer at windows of another.
_SIZES_REMEMBERED = 8
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


OUTPUT = "cells"
"""The prepared network's output (batch, 16, cells), the cells of stride 8, 16 and 32 in turn."""


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


@lru_cache(_SIZES_REMEMBERED)
def _grid(height: int, width: int) -> tuple[Array, Array]:
    """Of a padded picture's cells: (cells, 2) column and row, (cells, 1) stride."""
    places, strides = [], []
    for stride in STRIDES:
        columns = width // stride
        row, column = np.divmod(np.arange(height // stride * columns), columns)
        places.append(np.stack((column, row), axis=1).astype(np.float32))
        strides.append(np.full((len(row), 1), stride, np.float32))
    return np.concatenate(places), np.concatenate(strides)


def decode(cells: Array, height: int, width: int, threshold: float) -> Array:
    """Network output to (N, 15) rows: box 4, landmarks 10, score; those at or above threshold.

    `cells` is (16, cells): two logits, box 4, landmarks 10; `height` and `width` are those of the
    padded picture.
    """
    # The score is the root of two probabilities' product, so neither is below its square.
    least = threshold**2
    least_logit = math.log(least / (1 - least))
    likely = np.flatnonzero((cells[0] >= least_logit) & (cells[1] >= least_logit))
    score = np.sqrt((1 / (1 + np.exp(-cells[:2, likely]))).prod(axis=0))
    sure = score >= threshold
    likely = likely[sure]
    found = cells[2:, likely].T
    place, stride = (of_cells[likely] for of_cells in _grid(height, width))
    size = np.exp(found[:, 2:4]) * stride
    rows = np.empty((len(likely), 15), np.float32)
    rows[:, :2] = (place + found[:, :2]) * stride - size / 2
    rows[:, 2:4] = size
    rows[:, 4:14] = (found[:, 4:] + np.tile(place, 5)) * stride
    rows[:, 14] = score[sure]
    return rows


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
        apart = rows[:, None, 4:14] - expected.reshape(-1, 10)
        near = np.abs(apart).mean(axis=2) < farthest
        weights = near * rows[:, 14:].astype(np.float64) ** _CERTAINTY
        sums = weights.T @ rows[:, 4:14]
        return [
            (sum_ / total).reshape(5, 2) if total else None
            for sum_, total in zip(sums, weights.sum(axis=0).tolist(), strict=True)
        ]

    def _candidates(self, image: Image, threshold: float) -> Array:
        blob = pad(image)
        (cells,) = self._session.run([OUTPUT], {"input": blob})
        return decode(cells[0], blob.shape[2], blob.shape[3], threshold)
