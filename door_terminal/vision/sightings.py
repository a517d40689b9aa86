"""From a followed face to one sighting: in the zone, for long enough, seen well enough.

Pure bookkeeping over one track; detection and encoding stay outside. Times are seconds of the
monotonic clock.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from door_terminal.vision.messages import Advice
from face_engine.faces import Image, Vectors
from face_engine.quality import Quality
from face_engine.tracking import BestFrames, GoodFrame, shows_another

STEP_OUT_S: Final = 0.5
"""A face lost from the zone for less, by a glance aside or a missed detection, never left it."""
UNCLEAR_AFTER_S: Final = 4.0
"""After this long in the zone without good frames, the person is told that it does not work."""
CLEARLY_BETTER: Final = 0.1
"""With enough frames at hand, a better score by less is noise and not worth an encoding."""
MOST_DOUBLINGS: Final = 8
"""Each further wait of one who stays is twice as long; after eight, somebody lives there."""
ATTEMPT_GAP_S: Final = 0.3
"""Between two probes of one sighting: frames closer together say the same again."""
NEARLY_SMALL: Final = 1.5
"""A face up to so many times the least size that is seen badly had better come nearer."""
PASSING_SPEED: Final = 6.0
"""Distances between the eyes a second, across the picture: some 0.4 m/s. Who crosses faster is on
the way somewhere else; people walk past at 0.8 to 1.5 m/s, and sway before a door at less."""
PASSING_OVER_S: Final = 0.3
"""Speed is measured over so long, so that landmarks which tremble are no walk."""
LOOK_AGAIN_S: Final = 0.5
"""A face that nothing more is wanted of is encoded this seldom, to see whether it is the same."""
PATIENCE_S: Final = 2.5
"""From the first probe on; whoever is not recognised by then is told so."""


@dataclass(frozen=True, slots=True)
class ZoneRules:
    """Who counts as wanting in.

    Attributes:
        min_face_px: Pixels between the eyes.
        dwell_s: How long in the zone.
        max_yaw_deg: How far a face may be turned away and still face the door.
        frames: Good frames that make the first probe; each further one has as many more.
        attempts: Probes that one sighting may try.
    """

    min_face_px: float
    dwell_s: float
    max_yaw_deg: float
    frames: int
    attempts: int = 1


class Candidate:
    """One followed face on its way to a sighting; to another only by `again_s` of `answered`.

    A sighting is one or more probes. Each waits for its answer before the next is tried.
    """

    def __init__(self, rules: ZoneRules, first_seen: float) -> None:
        self.first_seen = first_seen
        self.closed = False
        self._rules = rules
        self._again_at: float | None = None
        self._doublings = 0
        self._entered: float | None = None
        self._inside = self._now = 0.0
        self._latest: Quality | None = None
        self._places: deque[tuple[float, float]] = deque()  # when, and where across the picture
        self._best = BestFrames(count=rules.frames)
        self._kept: dict[GoodFrame, tuple[Image, Vectors | None]] = {}
        self._encoded = 0.0
        self._attempts = 0
        self.waiting = False
        self.challenged = self.last_probe = False
        self._tried_first = self._tried_last = 0.0

    @property
    def frames(self) -> tuple[GoodFrame, ...]:
        """The frames kept so far, best first."""
        return self._best.frames

    @property
    def vectors(self) -> list[Vectors]:
        """The kept frames' vectors, (d,) each, best frame first."""
        return [vector for _, vector in self._best_first() if vector is not None]

    @property
    def crops(self) -> list[Image]:
        """The kept frames' aligned faces, (112, 112, 3) uint8 BGR each, best frame first."""
        return [crop for crop, _ in self._best_first()]

    @property
    def oldest(self) -> float:
        """When the first of the kept frames was taken."""
        return min(frame.at for frame in self._kept)

    @property
    def advice(self) -> Advice:
        """What its face had better do now, by the latest look at it."""
        if self.closed:
            return Advice.DONE
        look, turning = self._latest, self.challenged and not self.last_probe
        if look is None or turning:
            return Advice.LOOKING
        if look.face_px < self._rules.min_face_px:
            return Advice.CLOSER
        if abs(look.yaw_deg) > self._rules.max_yaw_deg:
            return Advice.TURN
        if look.score >= self._best.least_score:
            return Advice.LOOKING
        small = look.face_px < self._rules.min_face_px * NEARLY_SMALL
        return Advice.CLOSER if small else Advice.HOLD

    def offer(self, frame: GoodFrame, across: float = 0.0) -> bool:
        """Take the next look at the face; say whether to `keep` it.

        Whoever leaves the zone, or looks away for long, before anything was tried starts over. The
        time in the zone begins when somebody stops walking past.

        Args:
            frame: The look.
            across: Where the face is, pixels from the picture's left edge.
        """
        self._now, self._latest = frame.at, frame.quality
        passing = self._walks_past(frame, across)
        if self._again_at is not None and frame.at >= self._again_at:
            self._again_at, self.closed = None, False
            self._start_over()
        if self._left() and not self._attempts:
            self._start_over()
        quality = frame.quality
        if quality.face_px < self._rules.min_face_px:
            return False
        if abs(quality.yaw_deg) > self._rules.max_yaw_deg:
            return False
        if not self._left():
            self._inside = frame.at
        if self._entered is None or (passing and not self._attempts):
            self._entered = self._inside = frame.at
        if self.closed or not self._worth_taking(frame):
            return self._look_again(frame)
        return self._best.offer(frame)

    def keep(self, frame: GoodFrame, crop: Image, vector: Vectors | None) -> bool:
        """Keep the finely aligned face and its vector for as long as the frame is kept.

        Says no, and keeps what it had, when the vector shows another face.
        """
        if vector is not None:
            self._encoded = frame.at
            if shows_another(vector, self.vectors):
                return False
        self._kept[frame] = crop, vector
        self._kept = {one: self._kept[one] for one in self.frames if one in self._kept}
        return True

    @property
    def ready(self) -> bool:
        """Whether the next probe is to be tried now."""
        if self.closed or self.waiting or not self._stayed(self._rules.dwell_s):
            return False
        if self.challenged and not self.last_probe:
            return False
        if self._attempts and self._now - self._tried_last < ATTEMPT_GAP_S:
            return False
        return self._best.enough or self.spent(ended=False)

    def spent(self, *, ended: bool) -> bool:
        """Say whether a sighting that was tried before has run out of time, or of its face."""
        if self.closed or self.waiting or not self._attempts:
            return False
        return ended or self._left() or self._now - self._tried_first >= PATIENCE_S

    def attempt(self, *, ended: bool = False) -> bool:
        """Note that a probe is being tried; say whether it is the last one."""
        final = (
            self.last_probe or self.spent(ended=ended) or self._attempts + 1 >= self._rules.attempts
        )
        self._tried_last = self._now
        if not self._attempts:
            self._tried_first = self._now
        self._attempts += 1
        self.waiting = True
        return final

    def answered(self, at: float, *, settled: bool, again_s: float | None = None) -> None:
        """Take the answer to a probe.

        Who was let in and stays counts once more after `again_s`: the gate closed before a
        resident with full hands was through. The wait doubles each time, so that who stays for a
        chat does not keep the gate open.
        """
        self.waiting = False
        if not settled:
            self._best.count = self._rules.frames * (self._attempts + 1)
            return
        self.closed = True
        if again_s is not None:
            self._again_at = at + again_s * 2.0**self._doublings
            self._doublings = min(self._doublings + 1, MOST_DOUBLINGS)

    def challenge(self) -> None:
        """Wait for the answer to a challenge; only frames from now on count, for one last probe.

        Earlier ones may show another face, or a picture.
        """
        self._best, self._kept = BestFrames(count=self._rules.frames), {}
        self.challenged = True

    def challenge_over(self) -> None:
        """Go on to the last probe."""
        self.last_probe = True

    def unclear(self, *, ended: bool) -> bool:
        """Say whether to give up: long enough in the zone, never seen well enough."""
        if self.closed or self._attempts or self._best.enough:
            return False
        patience = self._rules.dwell_s if ended else max(self._rules.dwell_s, UNCLEAR_AFTER_S)
        return self._stayed(patience)

    def _walks_past(self, frame: GoodFrame, across: float) -> bool:
        """Say whether the face crosses the picture as that of somebody on their way does."""
        self._places.append((frame.at, across))
        while self._places and frame.at - self._places[0][0] > PASSING_OVER_S:
            self._places.popleft()
        since, before = self._places[0]
        if frame.at - since < PASSING_OVER_S / 2:
            return False  # too short to tell
        return abs(across - before) > PASSING_SPEED * frame.quality.face_px * (frame.at - since)

    def _best_first(self) -> list[tuple[Image, Vectors | None]]:
        # Of what is kept, not of `frames`: one of those may have shown another face.
        best = sorted(self._kept, key=lambda frame: -frame.quality.score)
        return [self._kept[frame] for frame in best]

    def _worth_taking(self, frame: GoodFrame) -> bool:
        if not self._best.enough:
            return True
        worst = min(one.quality.score for one in self.frames)
        return frame.quality.score > worst + CLEARLY_BETTER

    def _look_again(self, frame: GoodFrame) -> bool:
        """Say whether to see if somebody else stands there now; vectors alone can tell."""
        due = frame.at - self._encoded >= LOOK_AGAIN_S
        return due and bool(self.vectors) and frame.quality.score >= self._best.least_score

    def _left(self) -> bool:
        return self._entered is not None and self._now - self._inside > STEP_OUT_S

    def _stayed(self, seconds: float) -> bool:
        return self._entered is not None and self._inside - self._entered >= seconds

    def _start_over(self) -> None:
        self.challenged = self.last_probe = False
        self._entered = None
        self._best = BestFrames(count=self._rules.frames)
        self._kept = {}
        self._attempts = 0
        self.waiting = False
        self._tried_first = self._tried_last = 0.0
