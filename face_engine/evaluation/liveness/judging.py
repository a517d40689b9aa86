"""One presentation through the door's own path: detect, follow, gather, decide."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from face_engine.faces import Detector, Face, Image
from face_engine.liveness.challenge import Turn
from face_engine.liveness.fusion import Liveness
from face_engine.liveness.passive import PassiveLiveness
from face_engine.liveness.track import LivenessTrack
from face_engine.quality import assess
from face_engine.tracking import likeness

SEARCH_SIDE: Final = 640
UNSEEN: Final = "unseen"
"""In place of a `Liveness`: no face was found (ISO/IEC 30107-3: a non-response)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one presentation.

    Attributes:
        outcome: a `Liveness`, or `UNSEEN`.
        passive: the mean of the networks' scores, 0..1; None when no frame was good enough.
        parallax: evidence for a head (above 0) or a flat picture (below).
    """

    outcome: str
    passive: float | None
    parallax: float


def _largest(faces: list[Face]) -> Face | None:
    return max(faces, key=lambda face: face.eye_distance, default=None)


def judge(
    frames: Iterable[tuple[float, Image]],
    detector: Detector,
    passive: PassiveLiveness | None,
    turn: Turn | None = None,
) -> Judged:
    """Judge the largest face of (seconds, picture) pairs; with `turn`, as a challenge's answer."""
    track, last = LivenessTrack(passive), None
    for at, image in frames:
        face = _largest(detector.detect(image, longest_side=SEARCH_SIDE))
        if face is None:
            continue
        if last is None or likeness(last, face) == 0:
            track = LivenessTrack(passive)
            if turn is not None:
                track.challenge(turn, at)
        last = face
        track.offer(image, face, assess(image, face), at)
        if track.result.liveness is not Liveness.UNDECIDED:
            break
    scores = track.scores
    return Judged(
        outcome=UNSEEN if last is None else str(track.result.liveness),
        passive=float(np.mean(scores)) if scores else None,
        parallax=track.parallax,
    )
