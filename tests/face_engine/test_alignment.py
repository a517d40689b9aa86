import cv2
import numpy as np
import pytest

from face_engine.alignment import TARGET, align, similarity, warp
from face_engine.faces import Face, Image


def moved(scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return TARGET @ (scale * turn).T + shift


@pytest.mark.parametrize(("scale", "degrees"), [(1, 0), (2.5, 30), (0.4, -75), (1, 180)])
def test_a_moved_face_is_brought_back_exactly(scale: float, degrees: float) -> None:
    landmarks = moved(scale, degrees, (31, -8))
    matrix = similarity(landmarks)
    back = landmarks @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, TARGET, atol=1e-9)


def test_noisy_landmarks_give_the_least_squares_similarity() -> None:
    source = np.random.default_rng(3)
    for _ in range(20):
        landmarks = moved(source.uniform(0.5, 3), source.uniform(-60, 60), (10, 20))
        landmarks += source.normal(0, 2, landmarks.shape)
        # a·x - b·y + c, b·x + a·y + d is every similarity; solve for it outright.
        x, y = landmarks.T
        one, nil = np.ones(5), np.zeros(5)
        system = np.vstack((np.c_[x, -y, one, nil], np.c_[y, x, nil, one]))
        a, b, c, d = np.linalg.lstsq(system, TARGET.T.reshape(-1), rcond=None)[0]
        np.testing.assert_allclose(similarity(landmarks), [[a, -b, c], [b, a, d]], atol=1e-9)


def test_coinciding_landmarks_do_not_divide_by_zero() -> None:
    assert np.isfinite(similarity(np.full((5, 2), 7.0))).all()


def test_a_window_is_opencvs_own_wherever_it_lies(six_people: Image) -> None:
    source = np.random.default_rng(5)
    picture = np.ascontiguousarray(six_people[:300, :400])
    for _ in range(60):
        size, turn = source.uniform(0.2, 4), source.uniform(-np.pi, np.pi)
        linear = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = source.uniform((-80, -80), (480, 380))  # some of them beside the picture
        matrix = np.column_stack((linear, 60 - linear @ middle))
        # The part that is seen begins elsewhere: a pixel may round the other way.
        theirs = cv2.warpAffine(picture, matrix, (120, 120))
        assert cv2.norm(warp(picture, matrix, 120), theirs, cv2.NORM_INF) <= 1


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_crops_equal_insightfaces_norm_crop(six_people: Image, six_faces: list[Face]) -> None:
    from insightface.utils import face_align  # noqa: PLC0415 — warns when imported

    for face in six_faces:
        theirs = face_align.norm_crop(six_people, face.landmarks)
        ours = align(six_people, face.landmarks)
        assert ours.shape == (112, 112, 3)
        # The two solve in different precision: a pixel may round the other way.
        assert cv2.norm(ours, theirs, cv2.NORM_INF) <= 1
