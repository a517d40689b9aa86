"""The real pack and a real picture, shared by the engine's tests."""

import os
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_engine.alignment import align
from face_engine.evaluation.liveness.scenes import Portrait
from face_engine.faces import Face, Image
from face_engine.landmarks import refine
from face_engine.liveness.passive import PassiveLiveness, load_passive
from face_engine.models import FacePack, default_folder, load_pack
from face_engine.models.fetching import fetch
from face_engine.models.registry import OPENCV_ZOO, SILENT_FACE


@pytest.fixture(scope="session")
def models_folder() -> Path:
    folder = default_folder()
    fetch(OPENCV_ZOO, folder)
    return folder


@pytest.fixture(scope="session")
def pack(models_folder: Path) -> FacePack:
    return load_pack(folder=models_folder)


@pytest.fixture(scope="session")
def six_people() -> Image:
    """InsightFace's sample photo: 1280x886, six different people."""
    path = resources.files("insightface") / "data" / "images" / "t1.jpg"
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.fixture(scope="session")
def six_faces(pack: FacePack, six_people: Image) -> list[Face]:
    """Its faces, from left to right."""
    return sorted(pack.detector.detect(six_people), key=lambda face: float(face.box[0]))


@pytest.fixture(scope="session")
def crops(six_people: Image, six_faces: list[Face]) -> Image:
    """Its faces aligned: (6, 112, 112, 3)."""
    return np.stack([align(six_people, face.landmarks) for face in six_faces])


@pytest.fixture(scope="session")
def portraits(six_people: Image, six_faces: list[Face]) -> list[Image]:
    """One picture per person, from left to right, enlarged as a phone would take it."""
    pictures = []
    for face in six_faces:
        x, y, w, h = (int(value) for value in face.box)
        # Narrow, so that nobody else's face is in it.
        part = six_people[max(0, y - h // 2) : y + h + h // 2, max(0, x - w // 3) : x + w + w // 3]
        pictures.append(
            np.asarray(cv2.resize(part, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8),
        )
    return pictures


@pytest.fixture(scope="session")
def sitters(pack: FacePack, portraits: list[Image]) -> list[Portrait]:
    """Those of the six who look straight ahead."""
    sitters = []
    for number in (2, 5):
        photo = portraits[number]
        face = max(pack.detector.detect(photo, longest_side=320), key=lambda one: one.eye_distance)
        face = refine(pack.detector, photo, face)
        sitters.append(Portrait.of(str(number), photo, face.landmarks))
    return sitters


def _shared_folder() -> Path:
    named = os.environ.get("GATEHOUSE_SHARED")
    return Path(named) if named else Path(__file__).parents[3] / "shared"


@pytest.fixture(scope="session")
def silent_face() -> Path:
    """The published liveness weights and their publisher's three sample photos."""
    folder = _shared_folder() / "data" / "silent-face"
    if not folder.is_dir():
        pytest.skip("the weights and samples of silent-face are not here")
    return folder


@pytest.fixture(scope="session")
def passive(silent_face: Path, tmp_path_factory: pytest.TempPathFactory) -> PassiveLiveness:
    folder = tmp_path_factory.mktemp("liveness-models")
    fetch(SILENT_FACE, folder, local=silent_face)
    return load_passive(folder)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data, beside the project or where GATEHOUSE_SHARED says."""
    folder = _shared_folder()
    if not (folder / "data" / "lfw-dev" / "images").is_dir():
        pytest.skip("the photos of lfw-dev are not here")
    return folder
