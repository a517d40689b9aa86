"""Follow faces from frame to frame, and keep the good frames of each.

Boxes are matched by overlap, and by the distance of their landmarks where a quick step leaves no
overlap; nearest pairs first. That is enough at a gate, where a handful of faces move a little
between frames; whoever steps into another's place is told apart by their vectors, where there
are any. Times are seconds of a monotonic clock, given by the caller.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from face_engine.faces import Face, Image, Vectors
from face_engine.quality import LEAST_SCORE, Quality

# Somebody who looks down or is passed in front of is back within this time; after it, whoever
# stands there is a new sighting.
FORGET_AFTER = 0.8
# Of two different people, 99% are less alike than this in the better of two frames, and of photos
# of one person taken on different days next to none: figures and command in docs/face-engine.md.
_ANOTHER_FACE = 0.25
# Without overlap, landmarks may have moved by this many distances between the eyes.
_FARTHEST_STEP = 1.2
_LEAST_OVERLAP = 0.25
# A face that grows or shrinks by more from one frame to the next is another face.
_MOST_GROWTH = 1.8


@dataclass(slots=True, eq=False)
class Track:
    """One face over time.

    Attributes:
        id: unique within the tracker.
        face: where it was last seen.
        first_seen: seconds.
        last_seen: seconds.
        frames: in how many frames it was found.
    """

    id: int
    face: Face
    first_seen: float
    last_seen: float
    frames: int = 1

    @property
    def age(self) -> float:
        """Seconds from first to last look."""
        return self.last_seen - self.first_seen


def overlap(first: Face, second: Face) -> float:
    """Intersection over union of two boxes, 0..1."""
    a, b = first.box.astype(np.float64), second.box.astype(np.float64)
    corner = np.maximum(a[:2], b[:2])
    across, down = np.maximum(np.minimum(a[:2] + a[2:], b[:2] + b[2:]) - corner, 0)
    shared = float(across * down)
    return shared / max(float(a[2] * a[3] + b[2] * b[3]) - shared, 1e-9)


def likeness(first: Face, second: Face) -> float:
    """How likely two detections in frames close in time are one face: 0 (not) to 2."""
    sizes = first.eye_distance, second.eye_distance
    scale = max(*sizes, 1e-6)
    if scale / max(min(sizes), 1e-6) > _MOST_GROWTH:
        return 0.0
    moved = float(np.linalg.norm(first.landmarks - second.landmarks, axis=1).mean()) / scale
    near = max(0.0, 1 - moved / _FARTHEST_STEP)
    shared = overlap(first, second)
    return shared + near if shared >= _LEAST_OVERLAP or near > 0 else 0.0


def shows_another(vector: Vectors, kept: Sequence[Vectors]) -> bool:
    """Say whether a frame clearly shows another face than all frames kept of a track.

    Args:
        vector: the new frame's, (d,) and unit length.
        kept: the track's so far, alike; with none, there is nothing to differ from.
    """
    return bool(kept) and max(float(vector @ one) for one in kept) < _ANOTHER_FACE


class FaceTracker:
    """Gives the faces of successive frames lasting identities."""

    def __init__(self, *, forget_after: float = FORGET_AFTER) -> None:
        self._forget_after = forget_after
        self._ids = itertools.count(1)
        self._tracks: list[Track] = []

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All faces not yet forgotten, seen in the last frame or not."""
        return tuple(self._tracks)

    def forget_all(self) -> None:
        """Forget every face; later ones have identities of their own."""
        self._tracks = []

    def part(self, track: Track) -> Track:
        """Begin a new track where `track` was last seen: its face turned out to be another's.

        The old track is forgotten at once.
        """
        seen = track.last_seen
        other = Track(next(self._ids), track.face, first_seen=seen, last_seen=seen)
        self._tracks[self._tracks.index(track)] = other
        return other

    def update(self, faces: Sequence[Face], at: float) -> list[Track]:
        """The tracks of the faces of one frame, in the order of the faces; the rest grow old.

        `at` is the time of the frame in seconds and must not go back.
        """
        self._tracks = [t for t in self._tracks if at - t.last_seen <= self._forget_after]
        pairs = sorted(
            (
                (likeness(track.face, face), t, f)
                for t, track in enumerate(self._tracks)
                for f, face in enumerate(faces)
            ),
            reverse=True,
        )
        taken: dict[int, int] = {}
        used: set[int] = set()
        for like, t, f in pairs:
            if like > 0 and f not in taken and t not in used:
                taken[f] = t
                used.add(t)
        found: list[Track] = []
        for f, face in enumerate(faces):
            if f in taken:
                track = self._tracks[taken[f]]
                track.face, track.last_seen = face, at
                track.frames += 1
            else:
                track = Track(next(self._ids), face, first_seen=at, last_seen=at)
                self._tracks.append(track)
            found.append(track)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class GoodFrame:
    """One frame of a sighting worth encoding: the aligned crop, its quality and its time."""

    crop: Image
    quality: Quality
    at: float


@dataclass(slots=True, eq=False)
class BestFrames:
    """Keeps the best frames of one sighting, spread in time, in bounded memory.

    Two frames of one instant tell little more than one: within `apart` seconds the better one
    stays.

    Attributes:
        count: how many frames are wanted.
        least_score: frames with a lower `Quality.score` are not taken at all.
        apart: seconds between two kept frames.
    """

    count: int = 2
    least_score: float = LEAST_SCORE
    apart: float = 0.15
    _frames: list[GoodFrame] = field(default_factory=list)

    @property
    def frames(self) -> tuple[GoodFrame, ...]:
        """The kept frames, best first."""
        return tuple(self._frames)

    @property
    def enough(self) -> bool:
        """Whether as many frames as wanted are there."""
        return len(self._frames) >= self.count

    def offer(self, frame: GoodFrame) -> bool:
        """Take a frame if it betters what is kept; says whether it was taken."""
        if frame.quality.score < self.least_score:
            return False
        close = [f for f in self._frames if abs(f.at - frame.at) < self.apart]
        if any(f.quality.score >= frame.quality.score for f in close):
            return False
        kept = [f for f in self._frames if f not in close]
        kept.append(frame)
        kept.sort(key=lambda f: -f.quality.score)
        del kept[self.count :]
        self._frames = kept
        return frame in kept
