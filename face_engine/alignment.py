"""Bring a face into the 112x112 frame that ArcFace-style encoders were trained on.

The target points are InsightFace's (`face_align.arcface_dst`); the transform is the least-squares
similarity of S. Umeyama, "Least-squares estimation of transformation parameters between two
point patterns", IEEE PAMI 13 (1991).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Image

CROP_SIZE = 112

TARGET = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float64,
)


def similarity(
    landmarks: NDArray[np.floating], target: NDArray[np.float64] = TARGET
) -> NDArray[np.float64]:
    """The (2, 3) rotation, scale and shift that best brings (5, 2) landmarks onto (5, 2) others.

    In two dimensions Umeyama's solution needs no decomposition: with both point sets centred,
    scale·(cos, sin) is the sum of their dot and cross products over the sum of squares. A mirror
    image is never returned. Coinciding landmarks give a shift alone.
    """
    points = np.asarray(landmarks, np.float64)
    centre = points.mean(axis=0)
    x, y = (points - centre).T
    middle = target.mean(axis=0)
    u, v = (target - middle).T
    spread = float(x @ x + y @ y)
    if spread == 0:
        return np.column_stack((np.eye(2), middle - centre))
    cosine = float(x @ u + y @ v) / spread
    sine = float(x @ v - y @ u) / spread
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack((linear, middle - linear @ centre))


def align(image: Image, landmarks: NDArray[np.floating]) -> Image:
    """The face at (5, 2) landmarks as (112, 112, 3) uint8 BGR; black beyond the picture."""
    crop = cv2.warpAffine(image, similarity(landmarks), (CROP_SIZE, CROP_SIZE), borderValue=0)
    return np.asarray(crop, np.uint8)
