import pytest

from face_engine.evaluation.liveness.scenes import Kind, Portrait
from face_engine.liveness.challenge import TIME_S, Answer, Challenge, Turn, ask
from face_engine.models import FacePack
from tests.face_engine.liveness.films import seen


def answered(
    pack: FacePack, portrait: Portrait, kind: Kind, asked: Turn, turn: float | None
) -> Answer:
    challenge = Challenge(asked, 0.0)
    answer = Answer.WAITING
    for at, image, face in seen(pack, portrait, kind, turn):
        answer = challenge.offer(image, face.landmarks, at)
        if answer is not Answer.WAITING:
            break
    return answer


@pytest.mark.parametrize("asked", list(Turn))
def test_a_head_that_turns_as_asked_passes(
    asked: Turn, pack: FacePack, sitters: list[Portrait]
) -> None:
    sitter = sitters[asked is Turn.LEFT]
    assert answered(pack, sitter, Kind.LIVE_STILL, asked, asked.sign * 27) is Answer.PASSED


def test_a_head_that_turns_the_other_way_does_not(pack: FacePack, sitters: list[Portrait]) -> None:
    assert answered(pack, sitters[0], Kind.LIVE_STILL, Turn.LEFT, -27) is Answer.WRONG_WAY


@pytest.mark.parametrize("kind", [Kind.PRINT, Kind.PRINT_BENT, Kind.SCREEN_TILTING])
def test_a_picture_that_is_turned_as_asked_does_not(
    kind: Kind, pack: FacePack, sitters: list[Portrait]
) -> None:
    assert answered(pack, sitters[0], kind, Turn.LEFT, 27) is Answer.WAITING


def test_a_film_of_somebody_who_does_not_turn_does_not(
    pack: FacePack, sitters: list[Portrait]
) -> None:
    assert answered(pack, sitters[0], Kind.VIDEO, Turn.RIGHT, None) is Answer.WAITING


def test_who_does_nothing_is_too_late(pack: FacePack, sitters: list[Portrait]) -> None:
    challenge = Challenge(Turn.LEFT, 0.0)
    (_, image, face), *_ = seen(pack, sitters[0], Kind.LIVE_STILL)
    assert challenge.offer(image, face.landmarks, TIME_S) is Answer.WAITING
    assert challenge.offer(image, face.landmarks, TIME_S + 0.1) is Answer.TOO_LATE


def test_both_sides_are_asked_for() -> None:
    assert {ask() for _ in range(64)} == set(Turn)
