from pathlib import Path

import numpy as np
import onnx
import pytest

from face_engine.detector import OUTPUT, STRIDES
from face_engine.encoder import normalise, to_blob
from face_engine.faces import Image
from face_engine.models.files import pack_folder, read_verified
from face_engine.models.preparation import mend
from face_engine.models.prepared import load_prepared, prepared_path
from face_engine.models.registry import OPENCV_ZOO, Role
from face_engine.models.sessions import open_session


@pytest.fixture
def own_folder(tmp_path: Path, models_folder: Path) -> Path:
    """A models folder with the detector alone, nothing prepared yet."""
    file = OPENCV_ZOO.file(Role.DETECTOR)
    folder = pack_folder(tmp_path, OPENCV_ZOO)
    folder.mkdir()
    (folder / file.name).write_bytes(
        (pack_folder(models_folder, OPENCV_ZOO) / file.name).read_bytes()
    )
    return tmp_path


Answer = dict[str, np.ndarray]


def answers(models_folder: Path, role: Role, picture: np.ndarray) -> tuple[Answer, Answer]:
    """What the mended and the prepared graph say to a picture, by output."""
    file = OPENCV_ZOO.file(role)
    mended = mend(read_verified(models_folder, OPENCV_ZOO, file), role).SerializeToString()
    found = []
    for graph in (mended, load_prepared(models_folder, OPENCV_ZOO, file)):
        session = open_session(graph, threads=1)
        names = [output.name for output in session.get_outputs()]
        values = session.run(names, {session.get_inputs()[0].name: picture})
        found.append(dict(zip(names, values, strict=True)))
    return found[0], found[1]


def test_the_prepared_detector_computes_what_the_mended_one_does(models_folder: Path) -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 96, 64)).astype(np.float32)
    expected, found = answers(models_folder, Role.DETECTOR, picture)
    cells = found[OUTPUT].transpose(0, 2, 1)
    cells[..., :2] = 1 / (1 + np.exp(-cells[..., :2]))
    branches = [
        np.concatenate([expected[f"{branch}_{stride}"] for stride in STRIDES], axis=1)
        for branch in ("cls", "obj", "bbox", "kps")
    ]
    np.testing.assert_allclose(cells, np.concatenate(branches, axis=2), rtol=1e-4, atol=2e-5)


def test_the_prepared_encoder_computes_what_the_mended_one_does_but_for_rounding(
    models_folder: Path, crops: Image
) -> None:
    expected, found = answers(models_folder, Role.ENCODER, to_blob(crops))
    assert (normalise(expected["fc1"]) * normalise(found["fc1"])).sum(axis=1).min() > 0.99999


def test_the_prepared_encoder_has_no_operator_outside_the_blocked_layout(
    models_folder: Path,
) -> None:
    file = OPENCV_ZOO.file(Role.ENCODER)
    graph = onnx.load_from_string(load_prepared(models_folder, OPENCV_ZOO, file)).graph
    kinds = {node.op_type for node in graph.node}
    assert kinds.isdisjoint({"PRelu", "DequantizeLinear", "Dropout"})
    assert [value.name for value in graph.input] == ["data"]


def test_preparation_is_cached_and_made_again_when_damaged(own_folder: Path) -> None:
    file = OPENCV_ZOO.file(Role.DETECTOR)
    first = load_prepared(own_folder, OPENCV_ZOO, file)
    cache = prepared_path(own_folder, OPENCV_ZOO, file)
    made = cache.stat().st_mtime_ns
    assert load_prepared(own_folder, OPENCV_ZOO, file) == first
    assert cache.stat().st_mtime_ns == made
    cache.write_bytes(first[:-100])
    assert load_prepared(own_folder, OPENCV_ZOO, file) == first
    assert cache.read_bytes() == first


def test_a_folder_that_cannot_hold_the_cache_only_costs_time(own_folder: Path) -> None:
    file = OPENCV_ZOO.file(Role.DETECTOR)
    # A file where the cache's folder should be: writing fails, whoever runs the test.
    (pack_folder(own_folder, OPENCV_ZOO) / "prepared").write_bytes(b"")
    assert load_prepared(own_folder, OPENCV_ZOO, file)
