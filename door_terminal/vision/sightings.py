"""From a followed face to one sighting: in the zone, for long enough, seen well enough.

Pure bookkeeping over one track; detection and encoding stay outside. Times are seconds of the
monotonic clock.
"""

from dataclasses import dataclass
from typing import Final

from face_engine.faces import Vectors
from face_engine.tracking import BestFrames, GoodFrame

STEP_OUT_S: Final = 0.5
"""A face lost from the zone for less, by a glance aside or a missed detection, never left it."""
UNCLEAR_AFTER_S: Final = 4.0
"""After this long in the zone without good frames, the person is told that it does not work."""
CLEARLY_BETTER: Final = 0.1
"""With enough frames at hand, a better score by less is noise and not worth an encoding."""


MOST_DOUBLINGS: Final = 8
"""Each further wait of one who stays is twice as long; after eight, somebody lives there."""


@dataclass(frozen=True, slots=True)
class ZoneRules:
    """Who counts as wanting in.

    Attributes:
        min_face_px: Pixels between the eyes.
        dwell_s: How long in the zone.
        max_yaw_deg: How far a face may be turned away and still face the door.
        frames: Good frames that make a probe.
    """

    min_face_px: float
    dwell_s: float
    max_yaw_deg: float
    frames: int


class Candidate:
    """One followed face on its way to a sighting; to another only after `again`."""

    def __init__(self, rules: ZoneRules, first_seen: float) -> None:
        self.first_seen = first_seen
        self.reported = False
        self._again_at: float | None = None
        self._doublings = 0
        self._rules = rules
        self._entered: float | None = None
        self._inside = 0.0
        self._best = BestFrames(count=rules.frames)
        self._vectors: dict[GoodFrame, Vectors] = {}

    @property
    def frames(self) -> tuple[GoodFrame, ...]:
        """The frames kept so far, best first."""
        return self._best.frames

    @property
    def vectors(self) -> list[Vectors]:
        """The kept frames' vectors, (d,) each, best frame first."""
        return [self._vectors[frame] for frame in self.frames if frame in self._vectors]

    def offer(self, frame: GoodFrame) -> bool:
        """Take the next look at the face; say whether it is worth an encoding.

        Whoever leaves the zone, or looks away for long, starts over.
        """
        if self._again_at is not None and frame.at >= self._again_at:
            self._again_at, self.reported = None, False
            self._start_over()
        if self._entered is not None and frame.at - self._inside > STEP_OUT_S:
            self._start_over()
        quality = frame.quality
        if quality.face_px < self._rules.min_face_px:
            return False
        if abs(quality.yaw_deg) > self._rules.max_yaw_deg:
            return False
        self._inside = frame.at
        if self._entered is None:
            self._entered = frame.at
        if self.reported or not self._worth_taking(frame):
            return False
        return self._best.offer(frame)

    def remember(self, frame: GoodFrame, vector: Vectors) -> None:
        """Keep a frame's vector as long as the frame is kept."""
        self._vectors[frame] = vector
        self._vectors = {one: self._vectors[one] for one in self.frames if one in self._vectors}

    def again(self, at: float, after_s: float) -> None:
        """Let a face that stays become another sighting, `after_s` seconds from `at`.

        The gate closed before a resident with full hands was through; but the wait doubles each
        time, so that who stays for a chat does not keep the gate open.
        """
        self._again_at = at + after_s * 2.0**self._doublings
        self._doublings = min(self._doublings + 1, MOST_DOUBLINGS)

    @property
    def ready(self) -> bool:
        """Whether this is a sighting now."""
        return not self.reported and self._best.enough and self._stayed(self._rules.dwell_s)

    def unclear(self, *, ended: bool) -> bool:
        """Say whether to give up: long enough in the zone, never seen well enough."""
        if self.reported or self._best.enough:
            return False
        patience = self._rules.dwell_s if ended else max(self._rules.dwell_s, UNCLEAR_AFTER_S)
        return self._stayed(patience)

    def _worth_taking(self, frame: GoodFrame) -> bool:
        if not self._best.enough:
            return True
        worst = min(one.quality.score for one in self.frames)
        return frame.quality.score > worst + CLEARLY_BETTER

    def _stayed(self, seconds: float) -> bool:
        return self._entered is not None and self._inside - self._entered >= seconds

    def _start_over(self) -> None:
        self._entered = None
        self._best = BestFrames(count=self._rules.frames)
        self._vectors = {}
