from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from face_engine.alignment import align
from face_engine.encoder import (
    LARGEST_BATCH,
    as_probe,
    encode_with_mirror,
    fuse,
    normalise,
    to_blob,
)
from face_engine.faces import Face, Image
from face_engine.models import FacePack
from face_engine.models.files import read_verified
from face_engine.models.preparation import mend
from face_engine.models.registry import OPENCV_ZOO, Role


@pytest.fixture(scope="module")
def mended(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published encoder, only made runnable: what other programs are given to compare."""
    path = tmp_path_factory.mktemp("mended") / "sface.onnx"
    source = read_verified(models_folder, OPENCV_ZOO, OPENCV_ZOO.file(Role.ENCODER))
    onnx.save(mend(source, Role.ENCODER), str(path))
    return path


def test_six_people_are_six_different_unit_vectors(pack: FacePack, crops: Image) -> None:
    vectors = pack.encoder.encode(crops)
    assert vectors.shape == (6, pack.encoder.dimension)
    assert vectors.dtype == np.float32
    cosines = vectors @ vectors.T
    np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-6)
    assert (cosines - np.eye(6)).max() < 0.35


def test_a_batch_gives_what_one_by_one_gives(pack: FacePack, crops: Image) -> None:
    many = np.concatenate([crops] * 4)
    assert len(many) > LARGEST_BATCH
    single = np.concatenate([pack.encoder.encode(crop[None]) for crop in many])
    np.testing.assert_allclose(pack.encoder.encode(many), single, atol=1e-5)


def test_no_crops_give_no_vectors(pack: FacePack) -> None:
    assert pack.encoder.encode(np.empty((0, 112, 112, 3), np.uint8)).shape == (0, 128)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_insightfaces_own_arcface_gives_the_same_vectors(
    pack: FacePack,
    six_people: Image,
    six_faces: list[Face],
    mended: Path,
) -> None:
    from insightface.model_zoo import get_model  # noqa: PLC0415 — warns when imported
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX  # noqa: PLC0415 — the same
    from insightface.utils import face_align  # noqa: PLC0415 — the same

    model = get_model(str(mended), providers=["CPUExecutionProvider"])
    assert isinstance(model, ArcFaceONNX)
    for face in six_faces:
        theirs = normalise(model.get_feat(face_align.norm_crop(six_people, face.landmarks))[0])
        ours = pack.uncentred().encoder.encode(align(six_people, face.landmarks)[None])[0]
        assert float(theirs @ ours) >= 0.9999


def test_opencvs_own_recognizer_gives_the_same_vectors(
    pack: FacePack,
    six_people: Image,
    six_faces: list[Face],
    mended: Path,
) -> None:
    recognizer = cv2.FaceRecognizerSF.create(str(mended), "")
    for face in six_faces:
        row = np.concatenate((face.box, face.landmarks.reshape(-1), [face.score]))
        crop = recognizer.alignCrop(six_people, row.astype(np.float32))
        theirs = normalise(np.asarray(recognizer.feature(crop))[0])
        ours = pack.uncentred().encoder.encode(align(six_people, face.landmarks)[None])[0]
        assert float(theirs @ ours) >= 0.9999


def test_the_blob_is_planar_rgb() -> None:
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    crop[..., 0] = 10  # blue
    crop[..., 2] = 30  # red
    blob = to_blob(crop)
    assert blob.shape == (1, 3, 112, 112)
    assert blob.dtype == np.float32
    assert (blob[0, 0] == 30).all()
    assert (blob[0, 2] == 10).all()


def test_a_person_and_the_mirror_image_share_one_vector(pack: FacePack, crops: Image) -> None:
    straight = encode_with_mirror(pack.encoder, crops)
    turned = encode_with_mirror(pack.encoder, np.ascontiguousarray(crops[:, :, ::-1]))
    np.testing.assert_allclose(straight, turned, atol=1e-4)


def test_every_second_frame_of_a_sighting_is_seen_mirrored_however_the_frames_come(
    crops: Image,
) -> None:
    together = as_probe(crops)
    np.testing.assert_array_equal(together[::2], crops[::2])
    np.testing.assert_array_equal(together[1::2], crops[1::2, :, ::-1])
    one_by_one = [as_probe(crop[None], earlier=number) for number, crop in enumerate(crops)]
    np.testing.assert_array_equal(np.concatenate(one_by_one), together)


def test_two_alike_frames_are_worth_a_frame_and_its_mirror_image(
    pack: FacePack, crops: Image
) -> None:
    twice = np.stack([crops[0], crops[0]])
    probe = fuse(pack.encoder.encode(as_probe(twice)))
    np.testing.assert_allclose(probe, encode_with_mirror(pack.encoder, crops[:1])[0], atol=1e-5)


def test_fusing_is_the_weighted_mean_direction() -> None:
    vectors = np.eye(3, dtype=np.float32)[:2]
    np.testing.assert_allclose(fuse(vectors), [0.5**0.5, 0.5**0.5, 0], atol=1e-6)
    np.testing.assert_allclose(fuse(vectors, [1, 0]), [1, 0, 0])
    with pytest.raises(ValueError, match="at least one"):
        fuse(np.empty((0, 3), np.float32))
