"""The evidence of one track, as it gathers."""

from dataclasses import dataclass, field
from typing import Final

from face_engine.faces import Face, Image
from face_engine.liveness.challenge import Answer, Challenge, Turn
from face_engine.liveness.fusion import LivenessResult, fuse_evidence, good_enough
from face_engine.liveness.parallax import Parallax
from face_engine.liveness.passive import PassiveLiveness
from face_engine.quality import Quality

MOST_FRAMES: Final = 5
"""Frames that the networks judge in one track: they cost as much as an encoding each."""
_PASSIVE_APART_S: Final = 0.15


@dataclass(slots=True, eq=False)
class LivenessTrack:
    """Gathers what pictures of one track say; not thread-safe.

    Attributes:
        passive: the networks, or None where their pack is not installed.
    """

    passive: PassiveLiveness | None
    _parallax: Parallax = field(default_factory=Parallax)
    _scores: list[float] = field(default_factory=list)
    _judged_at: float = -1.0
    _challenge: Challenge | None = None
    _answer: Answer | None = None

    def offer(
        self, image: Image, face: Face, quality: Quality, at: float, *, kept: bool = False
    ) -> None:
        """Take an (H, W, 3) uint8 BGR picture of the track's face, `at` seconds.

        One `kept` to be recognised by is never passed over: it may show another face.
        """
        self._parallax.offer(image, face.landmarks, at, needed=kept)
        if self._parallax.lost:
            # What was seen before is no longer known to be this face: a picture may have been
            # held in front of it.
            self._scores.clear()
        if self._challenge is not None and self._answer is Answer.WAITING:
            self._answer = self._challenge.offer(image, face.landmarks, at)
        if (
            self.passive is not None
            and not self._parallax.lost
            and len(self._scores) < MOST_FRAMES
            and at - self._judged_at >= _PASSIVE_APART_S
            and good_enough(quality)
        ):
            self._judged_at = at
            score = self.passive.live(image, face)
            if score is not None:
                self._scores.append(score)

    def challenge(self, turn: Turn, at: float) -> None:
        """Ask for a turn from now on; an earlier challenge no longer counts."""
        self._challenge, self._answer = Challenge(turn, at), Answer.WAITING

    @property
    def answer(self) -> Answer | None:
        """How far the challenge has come; None when none was asked."""
        return self._answer

    @property
    def scores(self) -> tuple[float, ...]:
        """What the networks said of each frame they judged, 0..1."""
        return tuple(self._scores)

    @property
    def parallax(self) -> float:
        """Evidence for a head, or below 0 for a flat picture; see `Parallax.evidence`."""
        return self._parallax.evidence()

    @property
    def since(self) -> float:
        """Seconds from which on pictures are known to show the face that the evidence is of."""
        return self._parallax.since

    @property
    def result(self) -> LivenessResult:
        """What the evidence so far amounts to."""
        scores = None if self.passive is None else self._scores
        return fuse_evidence(self.parallax, scores, self._answer)
