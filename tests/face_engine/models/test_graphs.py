import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from face_engine.models import graphs
from face_engine.models.sessions import open_session


def model_of(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    channels: int,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def run(model: onnx.ModelProto, picture: np.ndarray) -> np.ndarray:
    output = open_session(model.SerializeToString(), threads=1).run(None, {"x": picture})[0]
    return np.asarray(output)


@pytest.fixture
def source() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.mark.parametrize("steepest", [0.5, 0.97, 1.0, 1.6])
def test_a_rewritten_prelu_gives_the_same_values(
    source: np.random.Generator,
    steepest: float,
) -> None:
    slopes = source.uniform(-0.8, steepest, (8, 1, 1)).astype(np.float32)
    slopes[0] = steepest
    model = model_of(
        [
            helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3]),
            helper.make_node("PRelu", ["c", "s"], ["y"]),
        ],
        {
            "w": source.normal(size=(8, 4, 3, 3)).astype(np.float32),
            "b": source.normal(size=8).astype(np.float32),
            "s": slopes,
        },
        channels=4,
    )
    picture = source.normal(size=(1, 4, 6, 6)).astype(np.float32)
    expected = run(model, picture)
    graphs.rewrite_prelus(model)
    assert all(node.op_type != "PRelu" for node in model.graph.node)
    np.testing.assert_allclose(run(model, picture), expected, atol=2e-5)


@pytest.mark.parametrize("depthwise", [False, True])
def test_a_prelu_before_a_convolution_takes_one_depthwise_pass_whatever_its_slopes(
    source: np.random.Generator, *, depthwise: bool
) -> None:
    model = model_of(
        [
            helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3]),
            helper.make_node("PRelu", ["c", "s"], ["p"]),
            helper.make_node(
                "Conv", ["p", "v"], ["y"], kernel_shape=[3, 3], group=8 if depthwise else 1
            ),
        ],
        {
            "w": source.normal(size=(8, 4, 3, 3)).astype(np.float32),
            "b": source.normal(size=8).astype(np.float32),
            "s": np.linspace(-0.8, 1.7, 8, dtype=np.float32).reshape(8, 1, 1),
            "v": source.normal(size=(8, 1 if depthwise else 8, 3, 3)).astype(np.float32),
        },
        channels=4,
    )
    picture = source.normal(size=(1, 4, 6, 6)).astype(np.float32)
    expected = run(model, picture)
    graphs.rewrite_prelus(model)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds == ["Conv", "Relu", "Conv", "Add", "Conv"]
    np.testing.assert_allclose(run(model, picture), expected, atol=2e-5)


def test_a_convolution_read_twice_is_not_scaled(source: np.random.Generator) -> None:
    model = model_of(
        [
            helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[1, 1]),
            helper.make_node("PRelu", ["c", "s"], ["p"]),
            helper.make_node("Add", ["p", "c"], ["y"]),
        ],
        {
            "w": source.normal(size=(4, 4, 1, 1)).astype(np.float32),
            "b": source.normal(size=4).astype(np.float32),
            "s": np.full((4, 1, 1), 0.25, np.float32),
        },
        channels=4,
    )
    picture = source.normal(size=(1, 4, 6, 6)).astype(np.float32)
    expected = run(model, picture)
    graphs.rewrite_prelus(model)
    np.testing.assert_allclose(run(model, picture), expected, atol=1e-5)


def test_batch_norm_goes_into_the_convolution_before_it(source: np.random.Generator) -> None:
    model = model_of(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[1, 1]),
            helper.make_node("BatchNormalization", ["c", "g", "b", "m", "v"], ["y"], epsilon=1e-3),
        ],
        {
            "w": source.normal(size=(5, 4, 1, 1)).astype(np.float32),
            "g": source.uniform(0.5, 2, 5).astype(np.float32),
            "b": source.normal(size=5).astype(np.float32),
            "m": source.normal(size=5).astype(np.float32),
            "v": source.uniform(0.1, 2, 5).astype(np.float32),
        },
        channels=4,
    )
    picture = source.normal(size=(1, 4, 6, 6)).astype(np.float32)
    expected = run(model, picture)
    graphs.fold_batch_norms(model)
    assert [node.op_type for node in model.graph.node] == ["Conv"]
    np.testing.assert_allclose(run(model, picture), expected, atol=1e-5)


def test_blocks_of_quantised_weights_are_scaled_each_by_its_own() -> None:
    quantised = np.array([[2, 4, 6, 8, 10]], np.int8)
    scales = np.array([[0.5, 2, 10]], np.float32)
    zeros = np.array([[0, 1, 0]], np.int8)
    np.testing.assert_array_equal(
        graphs.dequantize(quantised, scales, zeros, axis=1, block=2),
        [[1, 2, 10, 14, 100]],
    )
