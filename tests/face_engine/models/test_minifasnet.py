import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from face_engine.errors import ModelDamaged
from face_engine.models import minifasnet, minifasnet_form
from face_engine.models.preparation import mend, prepare
from face_engine.models.registry import Role
from face_engine.models.sessions import open_session
from tests.face_engine.models.torch_files import torch_file


def small_network() -> dict[str, NDArray[np.float32]]:
    """Weights of a narrow network of the same build, with squeeze-and-excite in one stage."""
    source = np.random.default_rng(3)
    weights: dict[str, NDArray[np.float32]] = {}

    def number(name: str, *shape: int) -> None:
        scale = 1.1 / np.sqrt(np.prod(shape[1:]))
        weights[f"module.{name}"] = source.normal(0, scale, shape).astype(np.float32)

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean"):
            number(f"{name}.{part}", channels)
        weights[f"module.{name}.running_var"] = source.uniform(0.5, 2, channels).astype(np.float32)

    def layer(name: str, shape: tuple[int, int, int], *, prelu: bool = True) -> None:
        outputs, inputs, side = shape
        number(f"{name}.conv.weight", outputs, inputs, side, side)
        norm(f"{name}.bn", outputs)
        if prelu:
            number(f"{name}.prelu.weight", outputs)

    def block(name: str, inputs: int, wide: int, outputs: int) -> None:
        layer(f"{name}.conv", (wide, inputs, 1))
        layer(f"{name}.conv_dw", (wide, 1, 3))
        layer(f"{name}.project", (outputs, wide, 1), prelu=False)

    layer("conv1", (6, 3, 3))
    layer("conv2_dw", (6, 1, 3))
    block("conv_23", 6, 10, 8)
    block("conv_3.model.0", 8, 5, 8)
    for part, shape in (("fc1", (2, 8, 1, 1)), ("fc2", (8, 2, 1, 1))):
        number(f"conv_3.model.0.se_module.{part}.weight", *shape)
    norm("conv_3.model.0.se_module.bn1", 2)
    norm("conv_3.model.0.se_module.bn2", 8)
    block("conv_34", 8, 10, 8)
    block("conv_45", 8, 10, 8)
    layer("conv_6_sep", (12, 8, 1))
    layer("conv_6_dw", (12, 1, 5), prelu=False)
    number("linear.weight", 4, 12)
    norm("bn", 4)
    number("prob.weight", 3, 4)
    return weights


def test_the_prepared_graph_computes_what_the_plain_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = torch_file(monkeypatch, small_network())
    plain = open_session(mend(source, Role.LIVENESS_NEAR).SerializeToString(), threads=1)
    fast = prepare(source, Role.LIVENESS_NEAR)
    kinds = {node.op_type for node in onnx.load_from_string(fast).graph.node}
    assert not kinds & {"BatchNormalization", "PRelu"}
    pictures = np.random.default_rng(1).uniform(0, 4, (3, 3, 80, 80)).astype(np.float32)
    feed = {minifasnet_form.INPUT: pictures}
    (expected,) = plain.run(None, feed)
    (computed,) = open_session(fast, threads=1).run(None, feed)
    assert np.ptp(expected, axis=0).max() > 1e-3
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(computed, expected, atol=1e-4)


@pytest.mark.parametrize("missing", ["module.conv1.bn.bias", "module.prob.weight"])
def test_missing_weights_are_told(missing: str) -> None:
    weights = small_network()
    del weights[missing]
    with pytest.raises(ModelDamaged, match="has no weights"):
        minifasnet.to_onnx(weights)


def test_weights_that_do_not_fit_one_another_are_told() -> None:
    weights = small_network()
    weights["module.linear.weight"] = np.zeros((4, 13), np.float32)
    with pytest.raises(ModelDamaged, match="do not fit"):
        minifasnet.to_onnx(weights)
