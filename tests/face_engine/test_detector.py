from pathlib import Path

import cv2
import numpy as np
import pytest

from face_engine.detector import YuNetDetector, decode, pad, suppress
from face_engine.faces import Face, Image
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


@pytest.mark.parametrize("shape", [(1, 1, 3), (31, 33, 3), (480, 640, 3), (20, 900, 3)])
def test_any_size_of_picture_can_be_searched(pack: FacePack, shape: tuple[int, ...]) -> None:
    assert pack.detector.detect(np.full(shape, 127, np.uint8)) == []


def test_padding_adds_black_right_and_below_only() -> None:
    image = np.full((33, 40, 3), 9, np.uint8)
    blob = pad(image)
    assert blob.shape == (1, 3, 64, 64)
    assert (blob[0, :, :33, :40] == 9).all()
    assert blob.sum() == 9 * image.size


def raw_outputs(size: int) -> dict[str, np.ndarray]:
    widths = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    return {
        f"{kind}_{stride}": np.zeros((1, (size // stride) ** 2, width), np.float32)
        for kind, width in widths.items()
        for stride in (8, 16, 32)
    }


def test_one_cell_decodes_to_its_place_in_the_picture() -> None:
    outputs = raw_outputs(64)
    cell = 2 * 8 + 5  # row 2, column 5 at stride 8
    outputs["cls_8"][0, cell] = outputs["obj_8"][0, cell] = 0.9
    (row,) = decode(list(outputs.values()), 64, 0.8)
    np.testing.assert_allclose(row[:4], [36, 12, 8, 8])
    np.testing.assert_allclose(row[4:14].reshape(5, 2), np.tile([40, 16], (5, 1)))
    assert row[14] == pytest.approx(0.9)


class OneOutput:
    def __init__(self, outputs: dict[str, np.ndarray]) -> None:
        self._outputs = outputs

    def run(self, names: list[str] | None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert names is not None
        assert feed["input"].shape == (1, 3, 64, 64)
        return [self._outputs[name] for name in names]


def test_nothing_above_the_threshold_is_no_face() -> None:
    assert YuNetDetector(OneOutput(raw_outputs(64))).detect(np.zeros((64, 64, 3), np.uint8)) == []


def test_of_overlapping_detections_the_best_stays() -> None:
    rows = np.zeros((3, 15), np.float32)
    rows[:, :4] = [[0, 0, 50, 50], [4, 4, 50, 50], [200, 0, 50, 50]]
    rows[:, 14] = [0.85, 0.95, 0.9]
    np.testing.assert_array_equal(suppress(rows, 0.8, 0.3)[:, 14], rows[[1, 2], 14])
