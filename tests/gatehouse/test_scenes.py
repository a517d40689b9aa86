import numpy as np
import pytest

from face_engine.models import load_pack
from gatehouse.sample_people import NAMES, SamplePerson, sample_people
from gatehouse.scenes import FRAME_SIZE, empty_view, walk_up


@pytest.fixture(scope="module")
def people() -> list[SamplePerson]:
    return list(sample_people(load_pack()))


def test_the_sample_shows_six_people(people: list[SamplePerson]) -> None:
    assert [person.name for person in people] == list(NAMES)


def test_the_same_seed_plays_the_same_scene(people: list[SamplePerson]) -> None:
    first, second = (
        list(walk_up(people[0].cutout, np.random.default_rng(7), seconds=0.5)) for _ in range(2)
    )
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_somebody_comes_nearer_and_is_alone(people: list[SamplePerson]) -> None:
    detector = load_pack().detector
    frames = list(walk_up(people[2].cutout, np.random.default_rng(1), seconds=1.0))
    found = [detector.detect(frame) for frame in (frames[0], frames[-1])]
    assert [len(faces) for faces in found] == [1, 1]
    assert found[1][0].box[2] > 1.5 * found[0][0].box[2]


def test_nobody_is_in_an_empty_view() -> None:
    view = empty_view(np.random.default_rng(0))
    assert view.shape == (FRAME_SIZE[1], FRAME_SIZE[0], 3)
    assert load_pack().detector.detect(view) == []
