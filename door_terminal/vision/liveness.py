"""Evidence of liveness for each followed face, and the networks, loaded once they are wanted."""

import logging
from collections.abc import Callable, Container
from typing import Final

import numpy as np

from face_engine.errors import FaceEngineError
from face_engine.faces import Face, Image, Vectors
from face_engine.liveness.challenge import Answer, Turn
from face_engine.liveness.fusion import Liveness, LivenessReason
from face_engine.liveness.passive import PassiveLiveness
from face_engine.liveness.track import LivenessTrack
from face_engine.quality import Quality

_log = logging.getLogger(__name__)

MODELS_MISSING: Final = "liveness-missing"
_SAME_FACE: Final = 0.3
"""Cosine that the face which answered a challenge must reach with the face that is let in, seen
from another side: different people reach it in one pair of a hundred."""


class LivenessWatch:
    """Gathers evidence by track while the door wants any."""

    def __init__(self, load: Callable[[], PassiveLiveness]) -> None:
        """Take what loads the networks; it raises `FaceEngineError` where it cannot."""
        self._load = load
        self._passive: PassiveLiveness | None = None
        self._tracks: dict[int, LivenessTrack] = {}
        self._witnesses: dict[int, Vectors] = {}
        self.wanted = False
        self.problem = ""
        """Empty, or `MODELS_MISSING`: then only a challenge makes a face live."""

    def want(self, *, wanted: bool) -> None:
        """Begin, or end; what was gathered is dropped."""
        self._tracks.clear()
        self._witnesses.clear()
        self.wanted, self.problem = wanted, ""
        if not wanted or self._passive is not None:
            return
        try:
            self._passive = self._load()
        except FaceEngineError as missing:
            self.problem = MODELS_MISSING
            _log.warning("liveness goes without its networks code=%s: %s", missing.code, missing)

    def offer(self, track: int, image: Image, face: Face, quality: Quality, at: float) -> None:
        """Take one look at a followed face; see `LivenessTrack.offer`."""
        self._of(track).offer(image, face, quality, at)

    def ask(self, track: int, turn: Turn, at: float) -> None:
        """Have a face turn from now on."""
        self._witnesses.pop(track, None)
        self._of(track).challenge(turn, at)

    def answer(self, track: int) -> Answer | None:
        """How far a face's challenge has come; None when none was asked."""
        return self._of(track).answer

    def witness(self, track: int, vector: Vectors) -> None:
        """Remember the face that answered, (d,) unit length."""
        self._witnesses[track] = vector

    def verdict(self, track: int, probe: Vectors) -> str:
        """What a face is, by its code, for a probe of it; empty while nobody wants to know."""
        if not self.wanted:
            return ""
        result = self._of(track).result
        proven = result.reason is LivenessReason.CHALLENGE_PASSED
        if result.liveness is Liveness.LIVE and not proven and self.problem:
            return str(Liveness.UNDECIDED)
        witness = self._witnesses.get(track)
        # Whoever turned must be the one who is let in: a picture may have stood there before.
        if proven and (witness is None or float(np.dot(witness, probe)) < _SAME_FACE):
            return str(Liveness.UNDECIDED)
        return str(result.liveness)

    def forget(self, track: int) -> None:
        """Drop what was gathered of a face."""
        self._tracks.pop(track, None)
        self._witnesses.pop(track, None)

    def keep_only(self, tracks: Container[int]) -> None:
        """Drop what was gathered of all other faces."""
        for gone in [track for track in self._tracks if track not in tracks]:
            self.forget(gone)

    def _of(self, track: int) -> LivenessTrack:
        return self._tracks.setdefault(track, LivenessTrack(self._passive))
