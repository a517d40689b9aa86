"""YuNet on onnxruntime: pixels in, faces out.

The decoding follows OpenCV's `FaceDetectorYN` (modules/objdetect/src/face_detect.cpp) and gives
its results; W. Wu, H. Peng, S. Yu: "YuNet: A Tiny Millisecond-level Face Detector" (2023).
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Face, Image, Session

_STRIDES = (8, 16, 32)
# The network halves the picture five times; OpenCV pads to the same multiple.
_MULTIPLE = 32
_OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]
# Suppression compares every pair of candidates; more than this in one frame is noise.
_MOST_CANDIDATES = 5000
# Two boxes that share more of their union are one face, as in OpenCV's samples.
_MOST_OVERLAP = 0.3
# No face of 5,927 portraits falls below the first; hardly anything else reaches it.
SURE_SCORE = 0.8
# Blurred, dark and tilted faces reach this; so do some things that are not faces.
UNSURE_SCORE = 0.5

Array = NDArray[np.float32]


def pad(image: Image) -> Array:
    """(1, 3, H', W') float32 BGR 0..255, with zeros right and below up to a multiple of 32."""
    height, width = image.shape[:2]
    below, right = -height % _MULTIPLE, -width % _MULTIPLE
    blob = np.zeros((1, 3, height + below, width + right), np.float32)
    # One plane at a time: twice as fast as one transposition of the whole.
    for plane, source in zip(blob[0], cv2.split(image), strict=True):
        plane[:height, :width] = source
    return blob


def decode(outputs: Sequence[Array], width: int, threshold: float) -> Array:
    """Network outputs to (N, 15) rows: box 4, landmarks 10, score; those at or above threshold.

    `outputs` are cls, obj, bbox and kps, each for strides 8, 16 and 32, first axis 1;
    `width` is that of the padded picture.
    """
    rows = []
    for level, stride in enumerate(_STRIDES):
        cls, obj, box, points = (outputs[level + len(_STRIDES) * kind][0] for kind in range(4))
        score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        kept = np.flatnonzero(score >= threshold)
        if kept.size == 0:
            continue
        columns = width // stride
        cell = np.stack((kept % columns, kept // columns), axis=1).astype(np.float32)
        size = np.exp(box[kept, 2:]) * stride
        corner = (cell + box[kept, :2]) * stride - size / 2
        landmarks = (points[kept].reshape(-1, 5, 2) + cell[:, None, :]) * stride
        rows.append(
            np.concatenate(
                (corner, size, landmarks.reshape(-1, 10), score[kept, None]),
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


def shrink(image: Image, longest_side: int | None) -> tuple[Image, float]:
    """The picture with its longer side at most `longest_side`, and the factor to go back."""
    longest = max(image.shape[:2])
    if longest_side is None or longest <= longest_side:
        return image, 1.0
    factor = longest / longest_side
    size = (max(1, round(image.shape[1] / factor)), max(1, round(image.shape[0] / factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), factor


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
        blob = pad(small)
        outputs = self._session.run(_OUTPUTS, {"input": blob})
        rows = decode(outputs, blob.shape[3], threshold)
        return [
            Face(
                box=row[:4] * factor,
                landmarks=row[4:14].reshape(5, 2) * factor,
                score=float(row[14]),
            )
            for row in suppress(rows, threshold, _MOST_OVERLAP)
        ]
