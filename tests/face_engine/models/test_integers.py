from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from face_engine.errors import PackUnknown
from face_engine.faces import Image
from face_engine.models import FacePack, load_pack
from face_engine.models.files import read_verified
from face_engine.models.integers import to_integers
from face_engine.models.preparation import prepare
from face_engine.models.prepared import load_prepared
from face_engine.models.registry import OPENCV_ZOO, OPENCV_ZOO_INT8, Role, Runtime
from face_engine.models.sessions import open_session


@pytest.fixture(scope="module")
def int8(models_folder: Path) -> FacePack:
    return load_pack(OPENCV_ZOO_INT8.name, models_folder)


def test_slopes_below_zero_and_above_one_keep_their_values() -> None:
    source = np.random.default_rng(3)
    slopes = np.array([-0.8, 0.3, 1.0, 1.6], np.float32).reshape(4, 1, 1)
    constants = {
        "mean": np.float32(127.5),
        "factor": np.float32(1 / 128),
        "w1": source.normal(size=(4, 3, 3, 3)).astype(np.float32) / 4,
        "b1": source.normal(size=4).astype(np.float32) / 4,
        "s1": slopes,
        "w2": source.normal(size=(4, 1, 3, 3)).astype(np.float32) / 3,
        "b2": source.normal(size=4).astype(np.float32) / 3,
        "s2": slopes,
        "w3": source.normal(size=(2, 4, 1, 1)).astype(np.float32),
        "b3": source.normal(size=2).astype(np.float32),
        "s3": np.full((2, 1, 1), 0.25, np.float32),
    }
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["less"]),
        helper.make_node("Mul", ["less", "factor"], ["c0"]),
    ]
    for number, groups in ((1, 1), (2, 4), (3, 1)):
        read, made = f"p{number - 1}" if number > 1 else "c0", f"c{number}"
        weights = [f"w{number}", f"b{number}"]
        nodes += [
            helper.make_node("Conv", [read, *weights], [made], group=groups),
            helper.make_node("PRelu", [made, f"s{number}"], [f"p{number}"]),
        ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 12, 12])],
        [helper.make_tensor_value_info("p3", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    picture = source.integers(0, 256, (1, 3, 12, 12)).astype(np.float32)

    def answer() -> np.ndarray:
        session = open_session(model.SerializeToString(), threads=1)
        return np.asarray(session.run(None, {"x": picture})[0])

    expected = answer()
    to_integers(model, dict.fromkeys(("p1", "p2", "p3"), (-4.0, 4.0)))
    assert {node.op_type for node in model.graph.node} == {
        *("QuantizeLinear", "QLinearConv", "Max", "DequantizeLinear"),
    }
    assert np.abs(answer() - expected).max() < 0.05 * np.abs(expected).max()


def test_its_vectors_are_close_to_those_of_floats(
    int8: FacePack, pack: FacePack, crops: Image
) -> None:
    ours, theirs = (each.uncentred().encoder.encode(crops) for each in (int8, pack))
    assert (ours * theirs).sum(axis=1).min() > 0.985


def test_every_convolution_is_of_integers_and_cannot_overflow_sixteen_bits(
    models_folder: Path,
) -> None:
    file = OPENCV_ZOO_INT8.file(Role.ENCODER)
    graph = onnx.load_from_string(load_prepared(models_folder, OPENCV_ZOO_INT8, file)).graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    assert all(node.op_type != "Conv" for node in graph.node)
    convolutions = [node for node in graph.node if node.op_type == "QLinearConv"]
    assert len(convolutions) == 2 * 27
    largest = max(int(np.abs(known[node.input[3]]).max()) for node in convolutions)
    assert 2 * 255 * largest < 2**15


def test_preparation_gives_the_same_bytes_every_time(models_folder: Path) -> None:
    source = read_verified(models_folder, OPENCV_ZOO, OPENCV_ZOO.file(Role.ENCODER))
    first, second = (prepare(source, Role.ENCODER, ranges=OPENCV_ZOO_INT8.ranges) for _ in range(2))
    assert first == second


def test_its_vectors_are_of_a_space_of_their_own(int8: FacePack, pack: FacePack) -> None:
    assert int8.template_space != pack.template_space
    assert int8.uncentred().template_space != pack.uncentred().template_space


def test_it_shares_the_files_of_the_default_pack(models_folder: Path) -> None:
    assert OPENCV_ZOO_INT8.files == OPENCV_ZOO.files
    assert not (models_folder / OPENCV_ZOO_INT8.name).exists()


def test_another_runtime_is_refused(models_folder: Path) -> None:
    with pytest.raises(PackUnknown, match="onnxruntime only"):
        load_pack(OPENCV_ZOO_INT8.name, models_folder, runtime=Runtime.OPENVINO)
