"""An idle door is left alone; somebody who comes is noticed."""

import numpy as np

from door_terminal.vision.motion import MotionGate
from gatehouse.sample_people import SamplePerson
from gatehouse.scenes import empty_view, walk_up


def settled(random: np.random.Generator) -> MotionGate:
    gate = MotionGate()
    for _ in range(20):
        gate.moved(empty_view(random))
    return gate


def test_sensor_noise_is_not_motion(random: np.random.Generator) -> None:
    gate = settled(random)
    assert not any(gate.moved(empty_view(random)) for _ in range(50))


def test_a_lamp_switched_on_is_not_motion(random: np.random.Generator) -> None:
    gate = settled(random)
    brighter = np.clip(empty_view(random).astype(np.int16) + 25, 0, 255).astype(np.uint8)
    assert not gate.moved(brighter)


def test_somebody_far_off_is_noticed(
    random: np.random.Generator, people: dict[str, SamplePerson]
) -> None:
    gate = settled(random)
    frames = walk_up(people["Ada"].cutout, random, face_widths=(50, 60), seconds=0.5)
    assert all(gate.moved(frame) for frame in frames)


def test_a_parked_bicycle_becomes_background(random: np.random.Generator) -> None:
    gate = settled(random)

    def view() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        image = empty_view(random)
        image[300:460, 60:260] = 40
        return image

    assert gate.moved(view())
    for _ in range(100):
        gate.moved(view())
    assert not gate.moved(view())


def test_a_camera_of_any_size_will_do() -> None:
    for height, width in ((48, 64), (1080, 1920), (37, 53)):
        gate = MotionGate()
        gate.moved(np.zeros((height, width, 3), np.uint8))
        assert not gate.moved(np.zeros((height, width, 3), np.uint8))


def test_a_camera_that_is_covered_or_looks_into_the_dark_is_blind_after_a_minute(
    random: np.random.Generator,
) -> None:
    now = [0.0]
    gate = MotionGate(lambda: now[0])
    dark = random.normal(4, 2, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    for now[0] in (0.0, 30.0, 60.0):
        gate.moved(dark)
        assert gate.blind == ""
    now[0] = 61.0
    gate.moved(dark)
    assert gate.blind == "camera-blind"
    gate.moved(empty_view(random))
    assert gate.blind == ""
    now[0] = 300.0
    gate.moved(dark)  # the time begins anew
    assert gate.blind == ""


def test_a_dim_scene_is_not_blind(random: np.random.Generator) -> None:
    now = [0.0]
    gate = MotionGate(lambda: now[0])
    for now[0] in (0.0, 120.0):
        gate.moved((empty_view(random) // 4).astype(np.uint8))
    assert gate.blind == ""
