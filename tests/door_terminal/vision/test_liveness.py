"""A face that turns as asked is live; a turned picture, or missing models, prove nothing."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from door_terminal.camera.reader import Frame
from door_terminal.vision.liveness import MODELS_MISSING, LivenessWatch
from door_terminal.vision.messages import Answer, Sighting, Unclear, Watch
from door_terminal.vision.watcher import Watcher
from face_engine.errors import ModelsMissing
from face_engine.evaluation.liveness.scenes import FRAME_S, Kind, Portrait, film
from face_engine.faces import Image
from face_engine.landmarks import refine
from face_engine.liveness.passive import PassiveLiveness
from face_engine.models import FacePack
from gatehouse.sample_people import SamplePerson

START_S = 1.0
TURN = 27.0  # to the person's left


def missing() -> PassiveLiveness:
    raise ModelsMissing("they are not here")


@pytest.fixture(scope="session")
def sitter(pack: FacePack, people: dict[str, SamplePerson]) -> Portrait:
    """Somebody who looks straight ahead."""
    data = np.frombuffer(people["Chen"].portrait, np.uint8)
    photo = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    (face,) = pack.detector.detect(photo, longest_side=320)
    return Portrait.of("Chen", photo, refine(pack.detector, photo, face).landmarks)


def frames(*films: Iterator[Image]) -> Iterator[Frame]:
    number = 0
    for one in films:
        for image in one:
            yield Frame(image, int((START_S + number * FRAME_S) * 1e9), number)
            number += 1


def asked(watcher: Watcher, seen: Iterator[Frame], turn: str) -> list[Sighting | Unclear]:
    """What vision says when the first probe is answered by a challenge."""
    watcher.watch(Watch(30, 300, 35, 2, encode=True, crops=False, attempts=1, liveness=True))
    found: list[Sighting | Unclear] = []
    for frame in seen:
        for one in watcher.look(frame):
            found.append(one)
            again = len(found) == 1
            watcher.answered(Answer(one.sighting, settled=not again, turn=turn if again else ""))
    return found


def test_a_head_that_turns_as_asked_is_live_and_is_the_one_recognised(
    pack: FacePack, sitter: Portrait
) -> None:
    seen = frames(
        film(sitter, Kind.LIVE_STILL),
        film(sitter, Kind.LIVE_STILL, turn=TURN),
        film(sitter, Kind.LIVE_STILL),
    )
    first, second = asked(Watcher(pack, missing), seen, "left")
    assert isinstance(first, Sighting)
    assert (first.liveness, first.challenged) == ("not-enough-evidence", False)
    assert isinstance(second, Sighting)
    assert (second.liveness, second.challenged, second.final) == ("live", True, True)
    probes = [np.frombuffer(one.probe, "<f4") for one in (first, second)]
    assert float(probes[0] @ probes[1]) > 0.5


def test_a_print_that_is_turned_as_asked_is_not(pack: FacePack, sitter: Portrait) -> None:
    seen = frames(film(sitter, Kind.PRINT), film(sitter, Kind.PRINT, turn=TURN))
    watcher = Watcher(pack, missing)
    found = asked(watcher, seen, "left")
    # Its time is not over yet; it ends when the print is taken away.
    blank = np.full((480, 640, 3), 128, np.uint8)
    end = START_S + 2 * 20 * FRAME_S
    for number in range(12):
        found += watcher.look(Frame(blank, int((end + number * FRAME_S) * 1e9), number))
    assert all(one.liveness != "live" for one in found if isinstance(one, Sighting))
    assert len(found) == 2


def test_without_the_networks_only_a_challenge_makes_live(pack: FacePack, sitter: Portrait) -> None:
    watcher = Watcher(pack, missing)
    found = asked(watcher, frames(film(sitter, Kind.LIVE_STILL, turn=TURN)), "")
    assert watcher.liveness.problem == MODELS_MISSING
    seen = {one.liveness for one in found if isinstance(one, Sighting)}
    assert seen == {"not-enough-evidence"}


def test_a_door_that_does_not_ask_loads_and_says_nothing() -> None:
    loads: list[None] = []

    def load() -> PassiveLiveness:
        loads.append(None)
        return missing()

    watch = LivenessWatch(load)
    watch.want(wanted=False)
    assert (watch.verdict(1, np.ones(4, np.float32)), watch.problem, loads) == ("", "", [])
