"""Evidence of liveness for each followed face, and the networks, loaded once they are wanted."""

import logging
from collections.abc import Callable, Container, Sequence
from typing import Final

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

    def offer(
        self, track: int, image: Image, face: Face, quality: Quality, at: float, *, kept: bool
    ) -> None:
        """Take one look at a followed face; see `LivenessTrack.offer`."""
        self._of(track).offer(image, face, quality, at, kept=kept)

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

    def verdict(self, track: int, oldest: float, vectors: Callable[[], Sequence[Vectors]]) -> str:
        """What a face is, by its code; empty while nobody wants to know.

        Only the face that is recognised may be live, not another before or after it on its track.

        Args:
            track: whose evidence counts.
            oldest: seconds; when the first of the frames was taken that it is recognised by.
            vectors: gives the vectors of these frames, (d,) unit length each; they cost, and are
                asked for only to compare them with the face that answered a challenge.
        """
        if not self.wanted:
            return ""
        evidence = self._of(track)
        result = evidence.result
        if result.liveness is not Liveness.LIVE:
            return str(result.liveness)
        if result.reason is LivenessReason.CHALLENGE_PASSED:
            same = self._answered(track, vectors())
        else:
            same = not self.problem and oldest >= evidence.since
        return str(Liveness.LIVE if same else Liveness.UNDECIDED)

    def _answered(self, track: int, vectors: Sequence[Vectors]) -> bool:
        witness = self._witnesses.get(track)
        return witness is not None and all(float(witness @ one) >= _SAME_FACE for one in vectors)

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
