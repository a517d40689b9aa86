"""Turn left, or right, as asked: what settles it.

A person is asked, at random, to turn the head to one side within a few seconds. A flat picture
that is turned moves as one plane: its landmarks keep saying that it looks straight ahead, and no
nose moves against its face. A film of somebody who turns the other way fails too. A film of
somebody who happens to turn the right way passes (one guess in two), and so does a mask.
"""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Image
from face_engine.liveness.parallax import Look, Relief, compare, corners, look_at
from face_engine.quality import pose

TIME_S: Final = 8.0
"""From asking to the end: two seconds to see and read it, one to turn, and once more."""
_STRAIGHT: Final = 20.0
"""Degrees of yaw within which somebody looks at the door: cameras hang to one side."""
_TURNED: Final = 11.0
"""Degrees against the straight look; the landmarks' rough yaw scatters by about three."""
_NOSE_MOVED: Final = 0.045
"""Distances between the eyes by which a nose must have moved in a look that counts: prints that
are turned by as much stay below 0.02, heads show 0.1."""
_LEAST_SURE, _MOST_SURE = 1.5, 5.0
"""Standard errors below which a look does not count, and above which it counts no more."""
_ENOUGH: Final = 8.0
"""Standard errors that looks must add up to."""
_LOOKS: Final = 2
"""Turned looks that must agree: one may be a slip."""


class Turn(StrEnum):
    """Which way to turn, as the person sees it."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def sign(self) -> int:
        """+1 where the face turns toward the right of the camera's picture."""
        return 1 if self is Turn.LEFT else -1


class Answer(StrEnum):
    """How far a challenge has come."""

    WAITING = "waiting"
    PASSED = "passed"
    WRONG_WAY = "wrong-way"
    FLAT = "flat"
    TOO_LATE = "too-late"


def ask() -> Turn:
    """A side that nobody can foresee."""
    return secrets.choice(tuple(Turn))


@dataclass(slots=True, eq=False)
class Challenge:
    """One challenge to one track.

    Attributes:
        turn: what was asked.
        asked_at: seconds.
    """

    turn: Turn
    asked_at: float
    _straight: Look | None = None
    _points: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    _looks: int = 0
    _toward: float = 0.0
    _flat: int = 0

    def offer(self, image: Image, landmarks: NDArray[np.floating], at: float) -> Answer:
        """Take a picture of the track's face, and say how far the challenge has come.

        `landmarks` is (5, 2). The first straight look is what later ones are compared with; an
        answer other than `WAITING` is final.
        """
        if at - self.asked_at > TIME_S:
            return Answer.TOO_LATE if not self._flat else Answer.FLAT
        yaw = pose(landmarks)[0]
        if self._straight is None:
            if abs(yaw) <= _STRAIGHT:
                self._straight = look_at(image, landmarks, at)
                self._points = corners(self._straight)
            return Answer.WAITING
        turned = yaw - self._straight.yaw
        if abs(turned) < _TURNED:
            return Answer.WAITING
        relief = compare(self._straight, look_at(image, landmarks, at), self._points)
        if relief is None:
            return Answer.WAITING
        self._judge(turned, relief)
        if self._looks < _LOOKS or abs(self._toward) < _ENOUGH:
            return Answer.WAITING
        return Answer.PASSED if self._toward > 0 else Answer.WRONG_WAY

    def _judge(self, turned: float, relief: Relief) -> None:
        """Landmarks and parallax must say the same: neither is believed alone."""
        across = relief.nose[0]
        sure = abs(across) / relief.noise
        if abs(across) < _NOSE_MOVED or sure < _LEAST_SURE or across * turned < 0:
            self._flat += 1
            return
        self._looks += 1
        self._toward += float(np.sign(across)) * self.turn.sign * min(sure, _MOST_SURE)
