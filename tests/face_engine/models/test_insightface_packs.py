from pathlib import Path

import numpy as np
import onnx
import pytest

from face_engine.alignment import align
from face_engine.errors import LicenceNotConfirmed, ModelDamaged, ModelsMissing, PackUnknown
from face_engine.faces import Face, Image
from face_engine.models import FacePack, load_pack
from face_engine.models.files import read_verified
from face_engine.models.insightface_packs import (
    InsightFaceDetector,
    InsightFaceEncoder,
)
from face_engine.models.licences import confirm_licence, licence_confirmed
from face_engine.models.preparation import mend
from face_engine.models.registry import OPENCV_ZOO, InsightFacePack, Role, pack_named

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture
def recogniser_folder(tmp_path: Path, models_folder: Path) -> Path:
    """A folder of ONNX files that lacks a detector."""
    folder = tmp_path / "packs" / "own"
    folder.mkdir(parents=True)
    source = read_verified(models_folder, OPENCV_ZOO, OPENCV_ZOO.file(Role.ENCODER))
    onnx.save(mend(source, Role.ENCODER), str(folder / "w600k.onnx"))
    return folder


def test_a_name_that_is_no_pack_is_told_with_the_names_there_are() -> None:
    with pytest.raises(
        PackUnknown,
        match=r"opencv-zoo, opencv-zoo-int8, silent-face, insightface-liveness, buffalo_l",
    ):
        load_pack("bufalo_l")


def test_a_pack_that_is_not_here_is_told_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelsMissing, match="gatehouse models fetch --pack buffalo_l"):
        load_pack("buffalo_l", tmp_path)


def test_its_licence_is_confirmed_once_per_pack(tmp_path: Path, recogniser_folder: Path) -> None:
    with pytest.raises(LicenceNotConfirmed, match="non-commercial research"):
        load_pack(str(recogniser_folder), tmp_path)
    pack = pack_named(str(recogniser_folder))
    assert isinstance(pack, InsightFacePack)
    confirm_licence(pack, tmp_path)
    assert licence_confirmed(pack, tmp_path)
    with pytest.raises(ModelsMissing, match="detection and a recognition model"):
        load_pack(str(recogniser_folder), tmp_path)


def test_a_file_that_is_no_model_is_damaged(tmp_path: Path, recogniser_folder: Path) -> None:
    (recogniser_folder / "det.onnx").write_bytes(b"not a model")
    pack = pack_named(str(recogniser_folder))
    assert isinstance(pack, InsightFacePack)
    confirm_licence(pack, tmp_path)
    with pytest.raises(ModelDamaged, match=r"det\.onnx"):
        load_pack(str(recogniser_folder), tmp_path)


def test_its_encoder_behind_our_protocol_gives_our_vectors(
    recogniser_folder: Path,
    pack: FacePack,
    six_people: Image,
    six_faces: list[Face],
) -> None:
    from insightface.model_zoo import get_model  # noqa: PLC0415 — warns when imported

    model = get_model(str(recogniser_folder / "w600k.onnx"), providers=["CPUExecutionProvider"])
    theirs = InsightFaceEncoder(model)
    crops = np.stack([align(six_people, face.landmarks) for face in six_faces])
    assert theirs.dimension == 128
    ours = pack.uncentred().encoder.encode(crops)
    assert (theirs.encode(crops) * ours).sum(axis=1).min() >= 0.9999
    assert theirs.encode(crops[:0]).shape == (0, 128)


class OneDetection:
    """What insightface's detection models answer."""

    def detect(
        self,
        image: Image,
        input_size: tuple[int, int],
    ) -> tuple[np.ndarray, np.ndarray]:
        assert max(image.shape[:2]) <= 320
        assert input_size == (640, 640)
        boxes = np.array([[10, 20, 30, 60, 0.4], [100, 50, 150, 120, 0.8]], np.float32)
        return boxes, np.arange(20, dtype=np.float32).reshape(2, 5, 2)


def test_its_detections_become_faces_in_the_pictures_own_pixels() -> None:
    detector = InsightFaceDetector(OneDetection())
    picture = np.zeros((320, 640, 3), np.uint8)
    (face,) = detector.detect(picture, longest_side=320)
    np.testing.assert_allclose(face.box, [200, 100, 100, 140])
    np.testing.assert_allclose(face.landmarks[0], [20, 22])
    # On the scale of YuNet's confidence, which the quality score was fitted to.
    assert face.score == pytest.approx(0.9114, abs=1e-3)
    assert len(detector.detect(picture, longest_side=320, unsure=True)) == 2


def test_of_its_detections_the_one_near_the_expected_place_counts() -> None:
    detector = InsightFaceDetector(OneDetection())
    picture = np.zeros((320, 320, 3), np.uint8)
    second = np.arange(10, 20, dtype=np.float64).reshape(5, 2)
    found = detector.landmarks_near(picture, np.stack((second + 1, second + 40)), 3.0)
    np.testing.assert_array_equal(found[0], second)
    assert found[1] is None
