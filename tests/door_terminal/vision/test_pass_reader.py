"""QR codes are read from a phone before the camera, told at once, and then once a second."""

import numpy as np
import pytest

from door_terminal.camera.reader import Frame
from door_terminal.vision.messages import Watch
from door_terminal.vision.pass_reader import EVERY_S, REPEAT_S, PassReader, read_codes
from door_terminal.vision.watcher import Watcher
from face_engine.models import FacePack
from gatehouse.pass_scenes import View, hold_up
from gatehouse.scenes import empty_view
from tests.support.passes import PassMaker

SUNNY = PassMaker(1_795_000_000)


@pytest.mark.parametrize(
    "view",
    [
        View(0.45),
        View(0.45, turned=30, tilted=30),
        View(0.45, smear=5),
        View(0.45, turned=180, blur=1.2),
        View(0.28, blur=1.2),
        View(0.22, turned=-30, tilted=20),
    ],
)
def test_passes_are_read_from_a_screen_near_and_far_turned_and_blurred(
    view: View, random: np.random.Generator
) -> None:
    for text in (SUNNY.fixed(), SUNNY.code()):
        views = [hold_up(text, view, random) for _ in range(4)]
        assert sum(read_codes(one) == [text] for one in views) >= len(views) - 1


def test_a_code_is_told_at_once_and_then_once_a_second(random: np.random.Generator) -> None:
    reader, text = PassReader(), SUNNY.fixed()
    picture = hold_up(text, View(0.4), random)
    told = [at for at in range(0, 3000, 50) if reader.read(picture, int((1 + at / 1000) * 1e9))]
    assert told == [0, 1000, 2000]
    assert (EVERY_S, REPEAT_S) == (0.25, 1.0)


def test_an_empty_wall_says_nothing_and_some_other_code_is_passed_on_as_it_is(
    random: np.random.Generator,
) -> None:
    assert read_codes(empty_view(random)) == []
    assert read_codes(hold_up("https://example.org", View(0.4), random)) == ["https://example.org"]
    assert read_codes(hold_up("A" * 201, View(0.8), random)) == []


def test_a_phone_held_still_is_watched_on_where_passes_are_taken(
    pack: FacePack, random: np.random.Generator
) -> None:
    picture = hold_up(SUNNY.fixed(), View(0.4), random)
    watcher = Watcher(pack)
    for passes in (False, True):
        watcher.watch(Watch(40, 300, 35, 2, encode=True, crops=False, passes=passes))
        list(watcher.look(Frame(picture, 1_000_000_000, 1)))
        watcher._until = float("inf") if passes else watcher._until
        seen = watcher.read_passes(Frame(picture, 2_000_000_000, 2))
        assert [one.text for one in seen] == ([SUNNY.fixed()] if passes else [])
    assert watcher.watching
    assert watcher._until != float("inf")
    assert watcher.read_passes(Frame(picture, 4_000_000_000, 3, glance=True)) == []
