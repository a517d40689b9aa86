"""One result from all sources: live, spoof, or not enough evidence, with the reason.

Evidence is counted as logarithms of likelihood ratios, which add. No source but the challenge is
decisive against another: each is bounded, so that a fooled or a failing one leaves the answer
open instead of turning it round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log
from typing import Final

import numpy as np

from face_engine.liveness.challenge import Answer
from face_engine.quality import Quality

LIVE_ABOVE: Final = 3.0
SPOOF_BELOW: Final = -3.0
"""Twenty to one, either way; `gatehouse evaluate-liveness` says what they lead to."""

PASSIVE_FRAMES: Final = 3
"""Good frames that the networks must have judged before they are believed."""
PASSIVE_EVEN: Final = 0.6
"""Mean score of the networks that speaks for neither."""
_PASSIVE_FACE_PX: Final = 25.0
_PASSIVE_SHARPNESS: Final = 0.3
_PASSIVE_CONTRAST: Final = 18.0
_PASSIVE_YAW: Final = 25.0
_PER_LOGIT: Final = 0.5
_MOST_PASSIVE: Final = 2.0
_MOST_DOUBT: Final = 0.5
"""Evidence of the networks against a face that motion may outweigh: a mean score of 0.36."""


class Liveness(StrEnum):
    """What is there."""

    LIVE = "live"
    SPOOF = "spoof"
    UNDECIDED = "not-enough-evidence"


class LivenessReason(StrEnum):
    """What the answer rests on; stable codes."""

    CHALLENGE_PASSED = "challenge-passed"
    CHALLENGE_FAILED = "challenge-failed"
    MOVES_AS_A_HEAD = "moves-as-a-head"
    MOVES_AS_A_PICTURE = "moves-as-a-picture"
    LOOKS_LIKE_A_FACE = "looks-like-a-face"
    LOOKS_LIKE_A_PICTURE = "looks-like-a-picture"
    TOO_LITTLE_SEEN = "too-little-seen"


@dataclass(frozen=True, slots=True)
class LivenessResult:
    """The one result. Scores stay inside."""

    liveness: Liveness
    reason: LivenessReason


def good_enough(quality: Quality) -> bool:
    """Whether a frame may be judged by the networks: blur and flat light look like paper."""
    return (
        quality.face_px >= _PASSIVE_FACE_PX
        and quality.sharpness >= _PASSIVE_SHARPNESS
        and quality.contrast >= _PASSIVE_CONTRAST
        and abs(quality.yaw_deg) <= _PASSIVE_YAW
    )


def passive_evidence(scores: Sequence[float]) -> float:
    """The logarithm of how much likelier a face is than a picture, from what frames looked like."""
    if len(scores) < PASSIVE_FRAMES:
        return 0.0
    mean = float(np.clip(np.mean(scores), 1e-4, 1 - 1e-4))
    logit = log(mean / (1 - mean)) - log(PASSIVE_EVEN / (1 - PASSIVE_EVEN))
    return float(np.clip(_PER_LOGIT * logit, -_MOST_PASSIVE, _MOST_PASSIVE))


def fuse_evidence(
    parallax: float,
    scores: Sequence[float] | None,
    challenge: Answer | None = None,
) -> LivenessResult:
    """What everything amounts to.

    A challenge passed settles it, whatever else was seen: it cannot be had by accident. Once one
    was asked, nothing else makes a face live. Where the networks are installed, they must have
    been heard and not have seen a picture: a film on a screen moves as a head does.

    Args:
        parallax: its evidence, see `Parallax.evidence`.
        scores: of the networks, one per good frame; None where they are not installed.
        challenge: how far it has come; None when none was asked.
    """
    if challenge is Answer.PASSED:
        return LivenessResult(Liveness.LIVE, LivenessReason.CHALLENGE_PASSED)
    passive = passive_evidence(scores or ())
    total = parallax + passive
    by_motion = abs(parallax) >= abs(passive)
    if total <= SPOOF_BELOW:
        return LivenessResult(
            Liveness.SPOOF,
            LivenessReason.MOVES_AS_A_PICTURE if by_motion else LivenessReason.LOOKS_LIKE_A_PICTURE,
        )
    if challenge not in {None, Answer.WAITING}:
        return LivenessResult(Liveness.UNDECIDED, LivenessReason.CHALLENGE_FAILED)
    agreed = scores is None or (len(scores) >= PASSIVE_FRAMES and passive >= -_MOST_DOUBT)
    if challenge is None and agreed and total >= LIVE_ABOVE:
        return LivenessResult(
            Liveness.LIVE,
            LivenessReason.MOVES_AS_A_HEAD if by_motion else LivenessReason.LOOKS_LIKE_A_FACE,
        )
    return LivenessResult(Liveness.UNDECIDED, LivenessReason.TOO_LITTLE_SEEN)
