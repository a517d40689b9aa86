"""Pictures of a person walking up become one sighting, by the real models."""

from collections.abc import Iterator

import numpy as np
import pytest

from door_terminal.camera.reader import Frame
from door_terminal.vision.messages import Answer, Sighting, Unclear, Watch
from door_terminal.vision.watcher import Watcher
from face_engine.models import FacePack
from gatehouse.sample_people import SamplePerson
from gatehouse.scenes import FRAME_RATE, empty_view, walk_up

START_NS = 1_000_000_000


def watch(*, encode: bool = True, crops: bool = False, attempts: int = 1) -> Watch:
    return Watch(40, 300, 35, 2, encode=encode, crops=crops, attempts=attempts)


def film(person: SamplePerson, random: np.random.Generator) -> Iterator[Frame]:
    for number, image in enumerate(walk_up(person.cutout, random, seconds=3)):
        yield Frame(image, START_NS + int(number / FRAME_RATE * 1e9), number)


def looked(watcher: Watcher, frames: Iterator[Frame]) -> list[Sighting | Unclear]:
    found: list[Sighting | Unclear] = []
    for frame in frames:
        for one in watcher.look(frame):
            found.append(one)
            if isinstance(one, Sighting):  # nobody is ever recognised here
                watcher.answered(Answer(one.sighting, settled=one.final))
    return found


def test_one_person_is_one_sighting_with_a_unit_probe(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch())
    (found,) = looked(watcher, film(people["Ada"], random))
    assert isinstance(found, Sighting)
    assert (found.frames, found.crops, found.final) == (2, (), True)
    assert np.linalg.norm(np.frombuffer(found.probe, "<f4")) == pytest.approx(1, abs=1e-5)


def test_a_person_not_recognised_is_tried_with_more_frames(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch(attempts=3))
    found = list(looked(watcher, film(people["Ada"], random)))
    assert all(isinstance(one, Sighting) for one in found)
    frames = [one.frames for one in found]
    assert frames == sorted(frames)
    assert len(found) >= 2


def test_crops_for_the_server_encode_to_nearly_the_same_probe(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch(crops=True))
    (found,) = looked(watcher, film(people["Ada"], random))
    assert isinstance(found, Sighting)
    again = np.frombuffer(watcher.encode(found.crops), "<f4")
    assert float(again @ np.frombuffer(found.probe, "<f4")) > 0.98


def test_a_weak_door_encodes_nothing(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch(encode=False, crops=True))
    (found,) = looked(watcher, film(people["Ada"], random))
    assert isinstance(found, Sighting)
    assert (found.probe, len(found.crops)) == (b"", 2)


def test_nothing_is_looked_for_before_the_server_has_said_what_counts(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    assert looked(watcher, film(people["Ada"], random)) == []
    assert watcher.detections == 0


def test_an_empty_view_finds_nobody(pack: FacePack, random: np.random.Generator) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch())
    frames = (Frame(empty_view(random), START_NS + n * 66_000_000, n) for n in range(10))
    assert looked(watcher, frames) == []
