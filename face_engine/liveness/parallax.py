"""What moves behind what: a flat picture's points move by one homography, a head's do not.

Some eighty corners of the face are followed by pyramidal Lucas-Kanade from one upright window of
the face to another, forward and back, so that each comes with its own measured noise. From a
robust homography between two looks follows what is left over, and of that the part a nose makes:
its tip stands before the plane of the face, and moves against it as the head turns. A sheet bent
in one direction also leaves something over, but smoothly (a polynomial of second degree), and that
is fitted away with the noise; a nose is not smooth.

J.-Y. Bouguet, "Pyramidal implementation of the Lucas Kanade feature tracker" (2000); Z. Kalal,
K. Mikolajczyk, J. Matas, "Forward-backward error", ICPR 2010.
"""

from dataclasses import dataclass, field
from math import inf, log
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.alignment import CROP_SIZE, TARGET, similarity, warp
from face_engine.faces import Image
from face_engine.quality import pose

_ZOOM: Final = 1.25
_WINDOW: Final = 160
_MARGIN: Final = (_WINDOW - CROP_SIZE * _ZOOM) / 2
_POINTS: Final = TARGET * _ZOOM + _MARGIN
_EYES: Final = float(_POINTS[1, 0] - _POINTS[0, 0])
"""Pixels between the eyes in a window."""
_NOSE: Final = _POINTS[2]

_MOST_LOOKS: Final = 16
_APART_S: Final = 0.08
_NOSE_CORNERS: Final = 30
_FACE_CORNERS: Final = 60
_FEWEST: Final = 24
"""Points below which nothing is fitted: the fit itself has 14 unknowns."""
_FARTHEST_BACK: Final = 0.7
"""Pixels by which a point may miss where it came from, followed there and back."""
_ROBUST_ROUNDS: Final = 5
_LEAST_NOISE: Final = 0.06
"""Pixels; fewer are a lucky fit. Windows are resampled and cameras compress."""
_LOOSE: Final = 2.5  # noise units at which a point's weight begins to fall

# What follows is read off rendered films (`gatehouse evaluate-liveness`).
_UPPER: Final = 0.75
"""The quantile over looks that counts: a head that turns shows it in many, a slip in one."""
_EVEN_STRENGTH: Final = 3.3
"""Standard errors by which a nose has moved that speak for neither: noise alone reaches 3."""
_PER_LOG_STRENGTH: Final = 6.0
_MOST: Final = 4.5
_LEAST_TILT: Final = 0.04
"""Foreshortening of a turn by some 16 degrees, or of a smaller one under perspective."""
_NOSE_PER_TILT: Final = 0.3
"""The least that a nose moves against a face so foreshortened; heads show 0.5 and more."""
_FEWEST_LOOKS: Final = 6
_MOST_MISSED: Final = 3
"""Comparisons in a row that fail before the first look is taken anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One look at a face.

    Attributes:
        window: (160, 160) uint8 grey, the face upright.
        scale: window pixels per pixel of the picture.
        yaw: degrees, from the landmarks; rough.
        at: seconds.
    """

    window: NDArray[np.uint8]
    scale: float
    yaw: float
    at: float


@dataclass(frozen=True, slots=True)
class Relief:
    """What two looks at one face say about its shape.

    Attributes:
        nose: (x, y) by which the tip of the nose moved against the face, in distances between
            the eyes.
        noise: the standard error of each.
        tilt: how much the face as a whole was foreshortened from one look to the other: the
            change of its width to its height, as a share. A turned plane shows at least this.
        points: how many points the fit rests on.
    """

    nose: tuple[float, float]
    noise: float
    tilt: float
    points: int


def look_at(image: Image, landmarks: NDArray[np.floating], at: float) -> Look:
    """Cut the face at (5, 2) landmarks out of an (H, W, 3) uint8 BGR picture."""
    matrix = similarity(landmarks) * _ZOOM
    matrix[:, 2] += _MARGIN
    part = warp(image, matrix, _WINDOW)
    grey = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    return Look(grey, scale, pose(landmarks)[0], at)


def _masks() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The nose; and brows to upper lip, cheek to cheek: what does not move in somebody's speech."""
    face, nose = np.zeros((2, _WINDOW, _WINDOW), np.uint8)
    x, y = (round(float(value)) for value in _NOSE)
    up = round(0.18 * _EYES)
    cv2.ellipse(face, (x, y - up), (round(_EYES), round(0.95 * _EYES)), 0, 0, 360, 255, cv2.FILLED)
    cv2.ellipse(nose, (x, y - up), (round(0.3 * _EYES), 2 * up), 0, 0, 360, 255, cv2.FILLED)
    face[nose > 0] = 0
    return nose, face


_NOSE_MASK, _FACE_MASK = _masks()


def corners(look: Look) -> NDArray[np.float32]:
    """Points of the face worth following: (N, 2) float32 in the window.

    The nose has few corners of its own and gets its share, or nothing is known of where it goes.
    """
    # None, whatever its types say, when there is not one.
    found: list[Any] = [
        cv2.goodFeaturesToTrack(look.window, most, 0.01, apart, mask=mask, blockSize=5)
        for most, apart, mask in ((_NOSE_CORNERS, 3, _NOSE_MASK), (_FACE_CORNERS, 5, _FACE_MASK))
    ]
    points = [np.asarray(one, np.float32).reshape(-1, 2) for one in found if one is not None]
    return np.concatenate([np.empty((0, 2), np.float32), *points])


def _flow(
    first: Look, second: Look, points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where (N, 2) points went, and whether each was found."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload] # None is allowed
        first.window,
        second.window,
        points,
        None,
        winSize=(15, 15),
        maxLevel=3,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01),
    )
    return there, found.ravel() == 1


def follow(
    first: Look, second: Look, points: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where (N, 2) points of the first window are in the second: both as (M, 2), M of N found."""
    if not len(points):
        return np.empty((0, 2)), np.empty((0, 2))
    there, found = _flow(first, second, points)
    back, returned = _flow(second, first, there)
    missed = np.linalg.norm(back - points, axis=1)
    kept = found & returned & (missed < _FARTHEST_BACK)
    return points[kept].astype(np.float64), there[kept].astype(np.float64)


def _nose_shape(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a point of the face stands out because of the nose: 1 at its tip, (N,)."""
    x, y = ((points - _NOSE) / _EYES).T
    along = np.where(y < 0, np.clip(1 + y / 0.55, 0, 1), np.exp(-((y / 0.16) ** 2)))
    return np.asarray(along * np.exp(-((x / 0.2) ** 2)))


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The polynomials of second degree: (N, 6)."""
    x, y = ((points - _NOSE) / _EYES).T
    return np.column_stack((np.ones_like(x), x, y, x * x, x * y, y * y))


def _foreshortening(homography: NDArray[np.float64]) -> float:
    """How differently a homography stretches the middle of the face in two directions."""
    x, y = _NOSE
    moved = homography @ np.array([x, y, 1.0])
    place = moved[:2] / moved[2]
    jacobian = (homography[:2, :2] - np.outer(place, homography[2, :2])) / moved[2]
    long, short = np.linalg.svd(jacobian, compute_uv=False)
    return float(1 - short / max(long, 1e-9))


def compare(first: Look, second: Look, points: NDArray[np.float32]) -> Relief | None:
    """What moved between two looks; None when too few points could be followed."""
    here, there = follow(first, second, points)
    if len(here) < _FEWEST:
        return None
    homography: Any = cv2.findHomography(here, there, cv2.RANSAC, 1.5)[0]
    if homography is None:
        return None
    plane = cv2.perspectiveTransform(here[None], homography)[0]
    left = there - plane
    shape = np.column_stack((_smooth(here), _nose_shape(here)))
    weight = np.ones(len(here))
    noise = _LEAST_NOISE
    solution = np.zeros((shape.shape[1], 2))
    for _ in range(_ROBUST_ROUNDS):
        root = np.sqrt(weight)[:, None]
        solution = np.linalg.lstsq(shape * root, left * root, rcond=None)[0]
        distance = np.linalg.norm(left - shape @ solution, axis=1)
        # Of a two-dimensional normal distribution the median distance is 1.18 deviations.
        noise = max(_LEAST_NOISE, float(np.median(distance)) / 1.1774)
        weight = np.minimum(1, _LOOSE * noise / np.maximum(distance, 1e-9))
    inverse = np.linalg.pinv((shape * weight[:, None]).T @ shape)
    error = noise * float(np.sqrt(max(inverse[-1, -1], 0)))
    moved = solution[-1] / _EYES
    return Relief(
        nose=(float(moved[0]), float(moved[1])),
        noise=error / _EYES,
        tilt=_foreshortening(homography),
        points=len(here),
    )


@dataclass(slots=True, eq=False)
class Parallax:
    """Collects the looks of one track; compares each with the first, once."""

    reliefs: list[tuple[Relief, float]] = field(default_factory=list)
    """What each comparison gave, and by how many degrees the landmarks say the face turned."""
    _first: Look | None = None
    _points: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    since: float = inf
    """Seconds from which on all looks could be followed: before, it may have been another face."""
    _last: float = -_APART_S
    _missed: int = 0

    def offer(
        self, image: Image, landmarks: NDArray[np.floating], at: float, *, needed: bool = False
    ) -> None:
        """Take a picture of the track's face at (5, 2) landmarks, `at` seconds.

        Looks too soon after the last are passed over unless `needed`: they cost and say little.
        """
        if at - self._last < _APART_S and not needed:
            return
        self._last = at
        look = look_at(image, landmarks, at)
        if self._first is None or self._missed >= _MOST_MISSED:
            self._first, self._points, self._missed = look, corners(look), 0
            self.reliefs, self.since = [], at
            return
        relief = compare(self._first, look, self._points)
        if relief is None:
            self._missed += 1
            self.since = inf
            return
        self._missed = 0
        self.since = min(self.since, at)
        self.reliefs = [*self.reliefs, (relief, look.yaw - self._first.yaw)][-_MOST_LOOKS:]

    @property
    def lost(self) -> bool:
        """Whether the last look could not be followed from the first: it may be another face."""
        return self._missed > 0

    def evidence(self) -> float:
        """The logarithm (base e) of how much likelier a head is than a flat picture; 0 is unknown.

        A nose that moves against the face in several looks speaks for a head. A face that was
        foreshortened as by a turn while no nose moved speaks for a picture; one that never
        turned says nothing.
        """
        if len(self.reliefs) < _FEWEST_LOOKS or self.lost:
            return 0.0
        found = [relief for relief, _ in self.reliefs]
        moved = np.array([np.hypot(*relief.nose) for relief in found])
        noise = np.array([relief.noise for relief in found])
        tilt = float(np.quantile([relief.tilt for relief in found], _UPPER))
        turned = float(np.clip(tilt / _LEAST_TILT - 1, 0, 1))
        missing = 1 - float(np.quantile(moved, _UPPER)) / (_NOSE_PER_TILT * tilt + 1e-9)
        if turned > 0 and missing > 0:
            return -_MOST * turned * min(1.0, 2 * missing)
        strength = float(np.quantile(moved / noise, _UPPER))
        return float(np.clip(_PER_LOG_STRENGTH * log(strength / _EVEN_STRENGTH + 1e-9), 0, _MOST))
