import cv2
import numpy as np

from face_engine.faces import Face, Image
from face_engine.landmarks import refine
from face_engine.models import FacePack


def test_landmarks_scatter_less_after_a_closer_look(
    pack: FacePack,
    six_people: Image,
    six_faces: list[Face],
) -> None:
    """Small shifts of one picture must not move the face within itself."""
    face = six_faces[0]
    x, y, w, h = (int(value) for value in face.box)
    part = six_people[y - h // 2 : y + h * 3 // 2, max(0, x - w // 2) : x + w * 3 // 2]
    source = np.random.default_rng(4)
    plain, finer = [], []
    for _ in range(25):
        shift = source.uniform(-6, 6, 2)
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
        moved = cv2.warpAffine(part, matrix, part.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
        noisy = np.clip(moved + source.normal(0, 4, moved.shape), 0, 255).astype(np.uint8)
        found = pack.detector.detect(noisy)[0]
        plain.append(found.landmarks - shift)
        finer.append(refine(pack.detector, noisy, found).landmarks - shift)
    assert np.std(finer, axis=0).mean() < 0.6 * np.std(plain, axis=0).mean()


def test_a_face_is_never_swapped_for_its_neighbour(
    pack: FacePack,
    six_people: Image,
    six_faces: list[Face],
) -> None:
    for face in six_faces:
        finer = refine(pack.detector, six_people, face)
        assert np.abs(finer.landmarks - face.landmarks).max() < 0.25 * face.box[3]


def test_where_no_closer_look_succeeds_the_face_stays_as_it_was(pack: FacePack) -> None:
    empty = np.full((200, 200, 3), 90, np.uint8)
    landmarks = np.array([[80, 80], [120, 80], [100, 100], [85, 125], [115, 125]], np.float32)
    face = Face(np.array([60, 50, 80, 110], np.float32), landmarks, 0.9)
    np.testing.assert_array_equal(refine(pack.detector, empty, face).landmarks, landmarks)
