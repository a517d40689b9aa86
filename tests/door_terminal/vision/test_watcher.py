"""Pictures of a person walking up become one sighting, by the real models."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from msgspec import structs

from door_terminal.camera.reader import Frame
from door_terminal.vision.messages import Advice, Answer, Sighting, Unclear, Watch
from door_terminal.vision.watcher import Watcher
from face_engine.enrollment import judge
from face_engine.models import FacePack
from gatehouse.sample_people import SamplePerson
from gatehouse.scenes import FRAME_RATE, Image, empty_view, walk_past, walk_up

START_NS = 1_000_000_000


def watch(*, encode: bool = True, crops: bool = False, attempts: int = 1) -> Watch:
    return Watch(40, 300, 35, 2, encode=encode, crops=crops, attempts=attempts)


def replace_watch(**more: Any) -> Watch:
    return msgspec.structs.replace(watch(), **more)


def film(
    person: SamplePerson, random: np.random.Generator, *, from_width: float = 90.0
) -> Iterator[Frame]:
    scene = walk_up(person.cutout, random, seconds=3, face_widths=(from_width, 190.0))
    for number, image in enumerate(scene):
        yield Frame(image, START_NS + int(number / FRAME_RATE * 1e9), number)


def one_after_another(
    random: np.random.Generator, *who: tuple[SamplePerson, float]
) -> Iterator[Frame]:
    """People step into one another's place before the door, each for so many seconds."""
    number = 0
    for person, seconds in who:
        for image in walk_up(person.cutout, random, seconds=seconds, face_widths=(170, 190)):
            yield Frame(image, START_NS + int(number / FRAME_RATE * 1e9), number)
            number += 1


def whom(pack: FacePack, people: dict[str, SamplePerson], found: Sighting | Unclear) -> str:
    """Whose face a sighting shows, as somebody would say who knows all six."""
    assert isinstance(found, Sighting)
    probe = np.frombuffer(found.probe, "<f4")
    portraits = {
        name: judge(pack, [person.portrait]).template
        for name, person in people.items()
        if name in {"Ada", "Fang"}
    }
    (name,) = [name for name, template in portraits.items() if float(probe @ template) > 0.5]
    return name


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


@pytest.mark.parametrize("first_stays_s", [0.15, 1.5])
@pytest.mark.parametrize("attempts", [1, 3])
def test_who_steps_into_anothers_place_is_a_sighting_of_their_own(
    first_stays_s: float,
    attempts: int,
    pack: FacePack,
    people: dict[str, SamplePerson],
    random: np.random.Generator,
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch(attempts=attempts))
    ada, fang = people["Ada"], people["Fang"]
    found = looked(watcher, one_after_another(random, (ada, first_stays_s), (fang, 2.0)))
    seen = [whom(pack, people, one) for one in found]
    stayed_long_enough = first_stays_s > 1
    assert list(dict.fromkeys(seen)) == (["Ada"] if stayed_long_enough else []) + ["Fang"]


def test_who_comes_back_into_the_same_place_is_the_same_sighting(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch())
    ada = people["Ada"]
    (found,) = looked(watcher, one_after_another(random, (ada, 1.5), (ada, 1.5), (ada, 1.5)))
    assert whom(pack, people, found) == "Ada"


def test_the_face_in_view_is_where_it_is_and_is_told_what_to_do(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch())
    advice = []
    for frame in film(people["Ada"], random, from_width=60.0):
        looked(watcher, iter([frame]))
        for box in watcher.boxes(frame.image):
            assert box.left < 0.5 < box.left + box.width
            assert box.top < 0.5 < box.top + box.height
            advice.append(box.advice)
    assert list(dict.fromkeys(advice)) == [Advice.CLOSER, Advice.LOOKING, Advice.DONE]
    wall = empty_view(random)
    looked(watcher, iter([Frame(wall, frame.captured_ns + 1, frame.number + 1)]))
    assert watcher.boxes(wall) == ()


def test_crops_for_the_server_encode_to_nearly_the_same_probe(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch(crops=True))
    (found,) = looked(watcher, film(people["Ada"], random))
    assert isinstance(found, Sighting)
    again = np.frombuffer(watcher.encode(found.crops), "<f4")
    assert float(again @ np.frombuffer(found.probe, "<f4")) > 0.98


def test_a_snapshot_is_the_best_aligned_face_alone_and_none_is_made_unless_wanted(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    frames = list(film(people["Ada"], random))
    pictures, probes = [], []
    for wanted in (replace_watch(), replace_watch(snapshot=True), replace_watch(crops=True)):
        watcher = Watcher(pack)
        watcher.watch(wanted)
        (found,) = looked(watcher, iter(frames))
        assert isinstance(found, Sighting)
        pictures.append(found.crops)
        probes.append(found.probe)
    none, one, several = pictures
    assert none == ()
    assert one == several[:1]
    assert len(several) == 2
    picture = cv2.imdecode(np.frombuffer(one[0], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (112, 112, 3)
    assert probes[0] == probes[1] == probes[2]


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


def test_outside_of_its_hours_no_face_is_looked_for_and_passes_are_read_on(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    frames = list(film(people["Ada"], random))
    watcher.watch(replace_watch(wanted=False, passes=True))
    assert looked(watcher, iter(frames)) == []
    assert (watcher.detections, watcher.watching) == (0, True)


def test_at_other_hours_a_door_that_looks_slower_still_sees_who_stands_there(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(replace_watch(rate=2.0))
    assert watcher.least_interval_s == 0.5
    every_half_second = list(film(people["Ada"], random))[:: int(FRAME_RATE / 2)]
    (found,) = looked(watcher, iter(every_half_second))
    assert isinstance(found, Sighting)


def test_a_glance_tells_that_something_moves_and_is_not_searched(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch())
    frames = list(film(people["Ada"], random))
    for frame in frames:
        small = np.ascontiguousarray(frame.image[::8, ::8, 1])
        assert looked(watcher, iter([replace(frame, image=small, glance=True)])) == []
    assert watcher.watching
    assert watcher.detections == 0


def test_no_face_is_looked_for_until_somebody_is_wanted_and_passes_are_read_all_the_same(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    nobody = structs.replace(watch(), wanted=False, passes=True)
    watcher.watch(nobody)
    frames = list(film(people["Ada"], random))
    assert looked(watcher, iter(frames[:15])) == []
    assert (watcher.detections, watcher.watching) == (0, True)
    watcher.watch(structs.replace(nobody, wanted=True))
    (found,) = looked(watcher, iter(frames[15:]))
    assert isinstance(found, Sighting)
    watcher.watch(nobody)
    assert watcher.faces == 0
    detections = watcher.detections
    assert looked(watcher, iter(frames)) == []
    assert watcher.detections == detections


@pytest.mark.parametrize("name", ["Ada", "Chen", "Fang"])
@pytest.mark.parametrize("seconds", [0.8, 1.2])
@pytest.mark.parametrize("face_width", [95.0, 130.0])
def test_who_walks_past_looking_at_the_door_is_no_sighting(
    name: str,
    seconds: float,
    face_width: float,
    pack: FacePack,
    people: dict[str, SamplePerson],
    random: np.random.Generator,
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch(attempts=3))
    scene = list(walk_past(people[name].cutout, random, seconds=seconds, face_width=face_width))
    scene += [empty_view(random) for _ in range(20)]
    assert looked(watcher, filmed(scene)) == []
    assert watcher.most_near() == 1  # it was seen, and near enough


def test_who_walks_past_and_stops_before_the_door_is_one(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch())
    ada = people["Ada"].cutout
    scene = list(walk_past(ada, random, seconds=1.2, face_width=130.0))[:9]
    assert looked(watcher, filmed(scene)) == []
    scene = list(walk_up(ada, random, seconds=2, face_widths=(130, 135)))
    (found,) = looked(watcher, filmed(scene, after=9))
    assert isinstance(found, Sighting)


def test_a_loiterer_is_one_sighting(
    pack: FacePack, people: dict[str, SamplePerson], random: np.random.Generator
) -> None:
    watcher = Watcher(pack)
    watcher.watch(watch())
    scene = list(walk_up(people["Ada"].cutout, random, seconds=4, face_widths=(150, 160)))
    there_and_back = (scene + scene[::-1]) * 2
    (found,) = looked(watcher, filmed(there_and_back))
    assert isinstance(found, Sighting)


def filmed(scene: Sequence[Image], after: int = 0) -> Iterator[Frame]:
    """A scene's pictures as they come, after so many others."""
    for number, image in enumerate(scene, start=after):
        yield Frame(image, START_NS + int(number / FRAME_RATE * 1e9), number)
