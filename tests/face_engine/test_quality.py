import cv2
import numpy as np
import pytest

from face_engine.alignment import TARGET
from face_engine.faces import Face, Image
from face_engine.quality import Quality, assess, assess_crop, pose, sharpness


def head(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """Landmarks of a simple head with a nose that stands out, turned and seen from afar."""
    points = np.array(
        [[-0.5, 0, 0], [0.5, 0, 0], [0, 0.57, 0.55], [-0.42, 1.15, 0.0], [0.42, 1.15, 0.0]],
    )
    y, p, r = np.radians([yaw, -pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray((points @ (about_z @ about_x @ about_y).T)[:, :2] * 60 + 100)


@pytest.mark.parametrize("yaw", [-30, -15, 0, 15, 30])
@pytest.mark.parametrize("roll", [-25, 0, 25])
def test_a_turn_to_the_side_is_told_within_a_few_degrees(yaw: float, roll: float) -> None:
    told, _, tilt = pose(head(yaw=yaw, roll=roll))
    assert told == pytest.approx(yaw, abs=6)
    assert tilt == pytest.approx(roll, abs=3)


def test_looking_up_and_down_have_opposite_signs() -> None:
    assert pose(head(pitch=20))[1] > 8
    assert pose(head(pitch=-20))[1] < -8


def test_the_reference_face_looks_straight_ahead() -> None:
    assert np.abs(pose(TARGET)).max() < 8


def test_blur_of_any_direction_lowers_sharpness(six_people: Image, six_faces: list[Face]) -> None:
    for face in six_faces:
        straight = assess(six_people, face).sharpness
        for size in ((9, 9), (15, 1), (1, 15)):
            blurred = np.asarray(cv2.blur(six_people, size), np.uint8)
            assert assess(blurred, face).sharpness < straight


def test_exposure_does_not_change_sharpness_much(six_people: Image, six_faces: list[Face]) -> None:
    face = six_faces[0]
    darker = (six_people * 0.5).astype(np.uint8)
    change = assess(darker, face).sharpness / assess(six_people, face).sharpness
    assert 0.7 < change < 1.3


def test_a_plain_grey_crop_has_no_detail() -> None:
    assert sharpness(np.full((112, 112), 130, np.uint8)) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    "worsen",
    [
        lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 4), np.uint8),
        lambda image: (image * 0.12).astype(np.uint8),
        lambda image: (128 + (image - 128.0) * 0.15).astype(np.uint8),
        lambda image: np.minimum(image * 3.0 + 60, 255).astype(np.uint8),
    ],
    ids=["blurred", "dark", "flat", "bright"],
)
def test_a_worse_look_scores_lower(
    worsen: object, six_people: Image, six_faces: list[Face]
) -> None:
    assert callable(worsen)
    for face in six_faces:
        assert assess(worsen(six_people), face).score < assess(six_people, face).score


def test_every_measure_stays_in_its_range() -> None:
    source = np.random.default_rng(5)
    for _ in range(50):
        crop = source.integers(0, 256, (112, 112, 3), dtype=np.uint8)
        landmarks = source.normal(0, 50, (5, 2)).astype(np.float32)
        face = Face(np.array([0, 0, 50, 50], np.float32), landmarks, 0.9)
        quality = assess_crop(crop, face)
        assert isinstance(quality, Quality)
        assert 0 <= quality.score <= 1
        assert 0 <= quality.sharpness <= 1
        assert 0 <= quality.brightness <= 255
        assert np.isfinite([quality.yaw_deg, quality.pitch_deg, quality.roll_deg]).all()
