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

    In two dimensions Umeyama's solution needs no decomposition: with the points as complex numbers
    and both sets centred, rotation and scale are one factor, the sum of the products with the
    conjugates over the sum of squares. A mirror image is never returned. Coinciding landmarks give
    a shift alone.
    """
    # Of five points each: numpy's calls would cost far more than its work.
    points = [complex(x, y) for x, y in np.asarray(landmarks, np.float64).tolist()]
    onto = [complex(x, y) for x, y in target.tolist()]
    centre, middle = sum(points) / len(points), sum(onto) / len(onto)
    spread = sum(abs(point - centre) ** 2 for point in points)
    products = sum(
        (point - centre).conjugate() * (place - middle)
        for point, place in zip(points, onto, strict=True)
    )
    turn = products / spread if spread else complex(1)
    shift = middle - turn * centre
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float64
    )


def warp(image: Image, matrix: NDArray[np.float64], side: int) -> Image:
    """What a (2, 3) similarity brings into view: (side, side, 3) uint8; black beyond the picture.

    OpenCV turns four channels more than twice as fast as three, so the part that is seen gets a
    fourth for the while.
    """
    linear, shift = matrix[:, :2], matrix[:, 2]
    corners = (np.array([[0, 0], [0, side], [side, 0], [side, side]]) - shift) @ linear
    corners /= linear[0] @ linear[0]
    left, top = np.maximum(corners.min(axis=0).astype(int) - 1, 0).tolist()
    right, bottom = np.maximum(corners.max(axis=0).astype(int) + 2, 0).tolist()
    part = image[top:bottom, left:right]
    if part.size == 0:
        return np.zeros((side, side, 3), np.uint8)
    moved = np.column_stack((linear, shift + linear @ (left, top)))
    seen = cv2.warpAffine(cv2.cvtColor(part, cv2.COLOR_BGR2BGRA), moved, (side, side))
    return np.asarray(cv2.cvtColor(seen, cv2.COLOR_BGRA2BGR), np.uint8)


def align(image: Image, landmarks: NDArray[np.floating]) -> Image:
    """The face at (5, 2) landmarks as (112, 112, 3) uint8 BGR; black beyond the picture."""
    return warp(image, similarity(landmarks), CROP_SIZE)
