"""Live pictures are small, come as often as somebody wants them, and not at all otherwise."""

import cv2
import numpy as np
import pytest

from door_terminal.vision.messages import MAX_STILL, Show
from door_terminal.vision.preview import LIVELY_S, RESTING_S, SIDE, Previewer
from gatehouse.scenes import empty_view
from tests.door_terminal.conftest import Time

PICTURE = np.zeros((480, 640, 3), np.uint8)


def previewer(time: Time) -> Previewer:
    return Previewer(lambda: time.now)


def made(previewer: Previewer, time: Time, seconds: float, *, watching: bool) -> int:
    """How many pictures are made in so long, of a camera that delivers 64 a second."""
    count, end = 0, time.now + seconds
    while time.now < end:
        time.now += 1 / 64
        if previewer.due(watching=watching):
            previewer.make(PICTURE)
            count += 1
    return count


def test_nobody_asks_and_nothing_is_made(time: Time) -> None:
    assert made(previewer(time), time, 5.0, watching=True) == 0


def test_pictures_come_while_something_moves_until_nobody_asks_any_more(time: Time) -> None:
    shown = previewer(time)
    shown.show(Show(3.0))
    assert made(shown, time, 1.0, watching=False) == 0
    assert made(shown, time, 1.0, watching=True) == pytest.approx(1 / LIVELY_S, abs=1)
    shown.show(Show(0.5))  # shortens nothing
    assert made(shown, time, 10.0, watching=True) == pytest.approx(1 / LIVELY_S, abs=1)


def test_who_asks_for_it_also_sees_that_nobody_is_there(time: Time) -> None:
    shown = previewer(time)
    shown.show(Show(4.0, resting=True))
    assert shown.resting
    assert made(shown, time, 4.0, watching=False) == pytest.approx(4 / RESTING_S, abs=1)
    assert not shown.resting


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (640, 480), (120, 160), (1, 3000)])
def test_a_picture_is_shrunk_and_never_grown(time: Time, size: tuple[int, int]) -> None:
    jpeg = previewer(time).make(np.zeros((*size, 3), np.uint8))
    seen = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    assert max(seen.shape) == min(SIDE, max(size))


def test_even_a_picture_of_noise_is_within_bounds(time: Time, random: np.random.Generator) -> None:
    noise = random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    assert len(previewer(time).make(noise)) <= MAX_STILL
    assert len(previewer(time).make(empty_view(random))) <= MAX_STILL / 2
