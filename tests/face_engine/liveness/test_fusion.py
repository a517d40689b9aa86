from dataclasses import replace

import pytest

from face_engine.liveness.challenge import Answer
from face_engine.liveness.fusion import (
    Liveness,
    LivenessReason,
    fuse_evidence,
    good_enough,
    passive_evidence,
)
from face_engine.quality import Quality

LOOKS_LIVE, LOOKS_FLAT = [0.99] * 3, [0.001] * 3


@pytest.mark.parametrize(
    ("parallax", "scores", "liveness", "reason"),
    [
        (4.0, [0.9] * 3, Liveness.LIVE, LivenessReason.MOVES_AS_A_HEAD),
        (1.5, LOOKS_LIVE, Liveness.LIVE, LivenessReason.LOOKS_LIKE_A_FACE),
        (4.0, None, Liveness.LIVE, LivenessReason.MOVES_AS_A_HEAD),
        (-4.0, None, Liveness.SPOOF, LivenessReason.MOVES_AS_A_PICTURE),
        (-1.5, LOOKS_FLAT, Liveness.SPOOF, LivenessReason.LOOKS_LIKE_A_PICTURE),
        # One source against the other leaves it open, as does one alone that is not sure.
        (4.5, LOOKS_FLAT, Liveness.UNDECIDED, LivenessReason.TOO_LITTLE_SEEN),
        (-4.5, LOOKS_LIVE, Liveness.UNDECIDED, LivenessReason.TOO_LITTLE_SEEN),
        (0.0, LOOKS_LIVE, Liveness.UNDECIDED, LivenessReason.TOO_LITTLE_SEEN),
        (0.0, LOOKS_FLAT, Liveness.UNDECIDED, LivenessReason.TOO_LITTLE_SEEN),
        (0.0, None, Liveness.UNDECIDED, LivenessReason.TOO_LITTLE_SEEN),
        # A film moves as a head does: doubts are outweighed, networks that see a screen are not.
        (4.5, [0.4] * 3, Liveness.LIVE, LivenessReason.MOVES_AS_A_HEAD),
        (4.5, [0.1] * 3, Liveness.UNDECIDED, LivenessReason.TOO_LITTLE_SEEN),
        # Networks that are there must have been heard.
        (4.5, [0.99], Liveness.UNDECIDED, LivenessReason.TOO_LITTLE_SEEN),
    ],
)
def test_sources_add_up(
    parallax: float, scores: list[float] | None, liveness: Liveness, reason: LivenessReason
) -> None:
    result = fuse_evidence(parallax, scores)
    assert (result.liveness, result.reason) == (liveness, reason)


def test_a_challenge_settles_it_once_asked() -> None:
    assert fuse_evidence(-4.5, LOOKS_FLAT, Answer.PASSED).liveness is Liveness.LIVE
    assert fuse_evidence(4.5, LOOKS_LIVE, Answer.WAITING).liveness is Liveness.UNDECIDED
    for failed in (Answer.FLAT, Answer.TOO_LATE, Answer.WRONG_WAY):
        result = fuse_evidence(4.5, LOOKS_LIVE, failed)
        assert result.reason is LivenessReason.CHALLENGE_FAILED
        assert fuse_evidence(-4.5, None, failed).liveness is Liveness.SPOOF


def test_no_number_of_frames_makes_the_networks_decisive() -> None:
    assert passive_evidence([0.5, 0.5]) == 0
    assert passive_evidence([0.0] * 50) == -passive_evidence([1.0] * 50)
    assert abs(passive_evidence([0.0] * 50)) < 3


def test_blurred_flat_and_turned_frames_are_not_judged() -> None:
    good = Quality(60, 0.6, 120, 40, 0, 0, 0, 0.9)
    assert good_enough(good)
    assert not good_enough(replace(good, sharpness=0.1))
    assert not good_enough(replace(good, contrast=8))
    assert not good_enough(replace(good, yaw_deg=35))
    assert not good_enough(replace(good, face_px=15))
