"""A face that turns as asked is live; a turned picture, or missing models, prove nothing."""

import itertools
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import pytest

from door_terminal.camera.reader import Frame
from door_terminal.vision.liveness import MODELS_MISSING, LivenessWatch
from door_terminal.vision.messages import Answer, Sighting, Unclear, Watch
from door_terminal.vision.watcher import Watcher
from face_engine.alignment import align
from face_engine.errors import ModelsMissing
from face_engine.evaluation.liveness.scenes import FRAME_S, Kind, Portrait, film
from face_engine.faces import Face, Image, Vectors
from face_engine.landmarks import refine
from face_engine.liveness.passive import PassiveLiveness
from face_engine.models import FacePack
from gatehouse.sample_people import SamplePerson

START_S = 1.0
TURN = 27.0  # to the person's left


def missing() -> PassiveLiveness:
    raise ModelsMissing("they are not here")


class Deceived(PassiveLiveness):
    """Networks that take everything for a face."""

    def __init__(self) -> None:
        pass

    def live(self, image: Image, face: Face) -> float:
        del image, face
        return 0.99


def blurred(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 2), np.uint8)


def portrait(pack: FacePack, person: SamplePerson) -> Portrait:
    photo = picture(person.portrait)
    (face,) = pack.detector.detect(photo, longest_side=320)
    return Portrait.of(person.name, photo, refine(pack.detector, photo, face).landmarks)


def picture(data: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


@pytest.fixture(scope="session")
def sitter(pack: FacePack, people: dict[str, SamplePerson]) -> Portrait:
    """Somebody who looks straight ahead."""
    return portrait(pack, people["Chen"])


@pytest.fixture(scope="session")
def another(pack: FacePack, people: dict[str, SamplePerson]) -> Portrait:
    """Somebody else, of whom there is only a photo."""
    return portrait(pack, people["Fang"])


def frames(*films: Iterator[Image]) -> Iterator[Frame]:
    number = 0
    for one in films:
        for image in one:
            yield Frame(image, int((START_S + number * FRAME_S) * 1e9), number)
            number += 1


def vectors(pack: FacePack, sighting: Sighting) -> Vectors:
    """Of each picture sent: (n, d)."""
    return pack.encoder.encode(np.stack([picture(one) for one in sighting.crops]))


def all_show(pack: FacePack, who: Portrait, found: Iterable[Sighting]) -> bool:
    """Whether every picture of these sightings shows this person."""
    face = pack.encoder.encode(align(who.photo, who.landmarks)[None])[0]
    return all(float((vectors(pack, one) @ face).min()) > 0.3 for one in found)


def asked(
    watcher: Watcher, seen: Iterator[Frame], turn: str, *, encode: bool = True
) -> list[Sighting | Unclear]:
    """What vision says when the first probe is answered by a challenge."""
    watcher.watch(Watch(30, 300, 35, 2, encode=encode, crops=not encode, attempts=1, liveness=True))
    found: list[Sighting | Unclear] = []
    for frame in seen:
        for one in watcher.look(frame):
            found.append(one)
            again = len(found) == 1
            watcher.answered(Answer(one.sighting, settled=not again, turn=turn if again else ""))
    return found


def seen_by_the_server(watcher: Watcher, seen: Iterator[Frame]) -> list[Sighting]:
    """What a door that encodes nothing sends of somebody who is not recognised."""
    watcher.watch(Watch(30, 300, 35, 2, encode=False, crops=True, attempts=9, liveness=True))
    found: list[Sighting] = []
    for frame in seen:
        for one in watcher.look(frame):
            assert isinstance(one, Sighting)
            found.append(one)
            watcher.answered(Answer(one.sighting, settled=one.final))
    return found


def test_a_head_is_live_and_lends_it_to_no_picture_shown_before_or_after(
    pack: FacePack, sitter: Portrait, another: Portrait
) -> None:
    print_first, head_first = (
        seen_by_the_server(Watcher(pack, Deceived), frames(*films))
        for films in (
            (itertools.islice(film(another, Kind.PRINT), 7), film(sitter, Kind.LIVE_GLANCE)),
            (film(sitter, Kind.LIVE_GLANCE), film(another, Kind.PRINT)),
        )
    )
    live = [one for one in (*print_first, *head_first) if one.liveness == "live"]
    assert live
    assert all_show(pack, sitter, live)


def test_all_that_is_matched_must_be_the_face_that_answered(
    pack: FacePack, sitter: Portrait, another: Portrait
) -> None:
    printed = film(another, Kind.PRINT)
    seen = frames(
        itertools.islice(film(sitter, Kind.LIVE_STILL), 5),
        # Blurred, so that it is not the best of what is sent.
        (blurred(one) for one in itertools.islice(printed, 3)),
        film(sitter, Kind.LIVE_STILL, turn=TURN),
        film(sitter, Kind.LIVE_STILL),
    )
    found = asked(Watcher(pack, missing), seen, "left", encode=False)
    last = found[-1]
    assert isinstance(last, Sighting)
    assert last.challenged
    assert last.liveness != "live" or all_show(pack, sitter, [last])


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
    assert (watch.verdict(1, 0.0, list), watch.problem, loads) == ("", "", [])
