from pathlib import Path

import cv2
import numpy as np
import pytest

from face_engine.detector import (
    OUTPUT,
    STRIDES,
    YuNetDetector,
    decode,
    pad,
    search_side,
    suppress,
)
from face_engine.faces import Face, Image
from face_engine.landmarks import refine
from face_engine.models import FacePack
from face_engine.models.registry import OPENCV_ZOO, Role


def test_all_six_people_are_found_best_first(pack: FacePack, six_people: Image) -> None:
    scores = [face.score for face in pack.detector.detect(six_people)]
    assert len(scores) == 6
    assert scores == sorted(scores, reverse=True)
    assert all(0.8 <= score <= 1 for score in scores)


def test_faces_equal_those_of_opencvs_own_detector(
    pack: FacePack,
    six_people: Image,
    models_folder: Path,
) -> None:
    file = models_folder / OPENCV_ZOO.name / OPENCV_ZOO.file(Role.DETECTOR).name
    # OpenCV runs the published file only at sizes that are multiples of 32 without padding twice;
    # ours must agree at any size.
    for width, height in ((1280, 886), (640, 443), (333, 217)):
        image = np.asarray(cv2.resize(six_people, (width, height)), np.uint8)
        reference = cv2.FaceDetectorYN.create(str(file), "", (width, height), 0.8, 0.3, 5000)
        _, rows = reference.detect(image)
        ours = pack.detector.detect(image)
        assert rows is not None
        assert len(rows) == len(ours) > 0
        for row, face in zip(rows, ours, strict=True):
            np.testing.assert_allclose(face.box, row[:4], atol=1e-2)
            np.testing.assert_allclose(face.landmarks.reshape(-1), row[4:14], atol=1e-2)
            assert face.score == pytest.approx(row[14], abs=1e-4)


def test_a_search_at_lower_resolution_gives_positions_in_the_picture_itself(
    pack: FacePack,
    six_people: Image,
    six_faces: list[Face],
) -> None:
    found = sorted(
        pack.detector.detect(six_people, longest_side=640),
        key=lambda face: float(face.box[0]),
    )
    assert len(found) == 6
    for small, full in zip(found, six_faces, strict=True):
        assert np.abs(small.landmarks - full.landmarks).max() < 10


@pytest.mark.parametrize(
    ("shape", "least_eyes", "side"),
    [
        ((480, 640, 3), 40, 320),
        ((720, 1280, 3), 60, 448),
        ((1280, 720, 3), 50, 512),
        ((1080, 1920, 3), 40, 640),
        ((480, 640, 3), 400, 160),
    ],
)
def test_a_search_is_as_fine_as_the_smallest_face_that_counts(
    shape: tuple[int, ...], least_eyes: float, side: int
) -> None:
    assert search_side(np.zeros(shape, np.uint8), least_eyes) == side


def test_the_smallest_face_that_counts_is_found(pack: FacePack, portraits: list[Image]) -> None:
    for portrait in portraits:
        (face,) = pack.detector.detect(portrait, longest_side=320)
        face = refine(pack.detector, portrait, face)
        factor = 40 / face.eye_distance
        small = cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        frame = np.full((480, 640, 3), 127, np.uint8)
        frame[100 : 100 + small.shape[0], 200 : 200 + small.shape[1]] = small
        (found,) = pack.detector.detect(frame, longest_side=search_side(frame, 40))
        truth = face.landmarks * factor + [200, 100]
        assert np.abs(refine(pack.detector, frame, found).landmarks - truth).mean() < 4


@pytest.mark.parametrize("shape", [(1, 1, 3), (31, 33, 3), (480, 640, 3), (20, 900, 3)])
def test_any_size_of_picture_can_be_searched(pack: FacePack, shape: tuple[int, ...]) -> None:
    assert pack.detector.detect(np.full(shape, 127, np.uint8)) == []


def test_padding_adds_black_right_and_below_only() -> None:
    image = np.full((33, 40, 3), 9, np.uint8)
    blob = pad(image)
    assert blob.shape == (1, 3, 64, 64)
    assert (blob[0, :, :33, :40] == 9).all()
    assert blob.sum() == 9 * image.size


def raw_cells(size: int) -> np.ndarray:
    cells = np.zeros((16, sum((size // stride) ** 2 for stride in STRIDES)), np.float32)
    cells[:2] = -9  # logits of next to nothing
    return cells


def test_one_cell_decodes_to_its_place_in_the_picture() -> None:
    cells = raw_cells(64)
    cell = 2 * 8 + 5  # row 2, column 5 at stride 8
    cells[:2, cell] = np.log(9)  # 0.9
    (row,) = decode(cells, 64, 64, 0.8)
    np.testing.assert_allclose(row[:4], [36, 12, 8, 8])
    np.testing.assert_allclose(row[4:14].reshape(5, 2), np.tile([40, 16], (5, 1)))
    assert row[14] == pytest.approx(0.9)


class OneOutput:
    def __init__(self, cells: np.ndarray) -> None:
        self._cells = cells

    def run(self, names: list[str] | None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert names == [OUTPUT]
        assert feed["input"].shape == (1, 3, 64, 64)
        return [self._cells[None]]


def test_nothing_above_the_threshold_is_no_face() -> None:
    assert YuNetDetector(OneOutput(raw_cells(64))).detect(np.zeros((64, 64, 3), np.uint8)) == []


def test_of_overlapping_detections_the_best_stays() -> None:
    rows = np.zeros((3, 15), np.float32)
    rows[:, :4] = [[0, 0, 50, 50], [4, 4, 50, 50], [200, 0, 50, 50]]
    rows[:, 14] = [0.85, 0.95, 0.9]
    np.testing.assert_array_equal(suppress(rows, 0.8, 0.3)[:, 14], rows[[1, 2], 14])
