from math import inf

import numpy as np
import pytest

from face_engine.evaluation.liveness.scenes import Kind, Portrait
from face_engine.liveness.parallax import Parallax, compare, corners, look_at
from face_engine.models import FacePack
from tests.face_engine.liveness.films import seen


def evidence(pack: FacePack, portrait: Portrait, kind: Kind, turn: float | None = None) -> float:
    parallax = Parallax()
    for at, image, face in seen(pack, portrait, kind, turn):
        parallax.offer(image, face.landmarks, at)
    return parallax.evidence()


def test_a_head_that_turns_is_a_head(pack: FacePack, sitters: list[Portrait]) -> None:
    assert evidence(pack, sitters[0], Kind.LIVE_STILL, turn=-27) > 2.5
    assert evidence(pack, sitters[1], Kind.LIVE_STILL, turn=27) > 2.5


def test_a_print_that_is_tilted_is_flat(pack: FacePack, sitters: list[Portrait]) -> None:
    assert evidence(pack, sitters[0], Kind.PRINT, turn=27) < -1.5


def test_a_print_that_is_bent_and_turned_is_no_head(
    pack: FacePack, sitters: list[Portrait]
) -> None:
    assert evidence(pack, sitters[0], Kind.PRINT_BENT, turn=-27) < -1.5


def test_a_print_held_still_says_nothing(pack: FacePack, sitters: list[Portrait]) -> None:
    assert evidence(pack, sitters[0], Kind.PRINT) == pytest.approx(0, abs=0.5)


def test_a_nose_moves_the_way_the_head_turns(pack: FacePack, sitters: list[Portrait]) -> None:
    for sitter, turn in zip(sitters, (-27.0, 27.0), strict=True):
        looks = [
            look_at(image, face.landmarks, at)
            for at, image, face in seen(pack, sitter, Kind.LIVE_STILL, turn)
        ]
        relief = compare(looks[0], looks[7], corners(looks[0]))
        assert relief is not None
        assert relief.nose[0] * np.sign(turn) > 4 * relief.noise


def test_a_face_without_features_is_not_compared() -> None:
    blank = np.full((200, 200, 3), 128, np.uint8)
    landmarks = np.array([[80, 80], [120, 80], [100, 102], [84, 126], [116, 126]], np.float32)
    look = look_at(blank, landmarks, 0.0)
    assert compare(look, look, corners(look)) is None
    parallax = Parallax()
    for number in range(20):
        parallax.offer(blank, landmarks, number / 10)
    assert parallax.evidence() == 0


def test_another_face_loses_it_and_a_needed_look_is_never_passed_over(
    pack: FacePack, sitters: list[Portrait]
) -> None:
    (at, image, face), *_ = seen(pack, sitters[0], Kind.LIVE_STILL)
    (_, other, others), *_ = seen(pack, sitters[1], Kind.PRINT)
    parallax = Parallax()
    parallax.offer(image, face.landmarks, at)
    parallax.offer(other, others.landmarks, at + 0.05)
    assert (parallax.lost, parallax.since) == (False, at)
    parallax.offer(other, others.landmarks, at + 0.06, needed=True)
    assert (parallax.lost, parallax.since) == (True, inf)
    parallax.offer(image, face.landmarks, at + 0.2)
    assert (parallax.lost, parallax.since) == (False, at + 0.2)
