"""Silent-Face's two networks as ONNX graphs, from their weights alone.

MiniFASNet (minivision-ai/Silent-Face-Anti-Spoofing, Apache-2.0) is a narrow MobileFaceNet: a stem,
stages of depthwise blocks with 4, 6 and 2 residual ones, then 512 channels, a 5x5 depthwise
convolution over what is left, 128 values and three classes. Names and shapes of the weights say
which blocks there are and which end in squeeze-and-excite.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from face_engine.errors import ModelDamaged
from face_engine.models.minifasnet_form import CLASSES, INPUT, OUTPUT, SIDE
from face_engine.models.torch_archive import Weights

_PREFIX = "module."
_EPSILON = 1e-5  # PyTorch's usual one, of all the batch norms
_STAGES = ("3", "4", "5")
_OPSET = 17
_IR_VERSION = 8


class _Writer:
    """Writes one node after another; each method returns the name of what it made."""

    def __init__(self, weights: Weights) -> None:
        self._weights = {name.removeprefix(_PREFIX): value for name, value in weights.items()}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def has(self, name: str) -> bool:
        return any(weight.startswith(f"{name}.") for weight in self._weights)

    def add(
        self,
        operation: str,
        inputs: Sequence[str],
        name: str,
        **attributes: Any,
    ) -> str:
        self.nodes.append(helper.make_node(operation, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str) -> str:
        self._keep(name, self._weight(name))
        return name

    def batch_norm(self, source: str, name: str) -> str:
        parts = ("weight", "bias", "running_mean", "running_var")
        constants = [self.constant(f"{name}.{part}") for part in parts]
        return self.add("BatchNormalization", [source, *constants], name, epsilon=_EPSILON)

    def convolution(self, source: str, name: str, *, stride: int = 1, padding: int = 0) -> str:
        weight = self._weight(f"{name}.weight")
        outputs, inputs = weight.shape[:2]
        return self.add(
            "Conv",
            [source, self.constant(f"{name}.weight")],
            name,
            kernel_shape=list(weight.shape[2:]),
            strides=[stride, stride],
            pads=[padding] * 4,
            group=outputs if inputs == 1 else 1,
        )

    def layer(self, source: str, name: str, *, stride: int = 1, padding: int = 0) -> str:
        """Convolution, batch norm and, where it has slopes, PReLU."""
        source = self.convolution(source, f"{name}.conv", stride=stride, padding=padding)
        source = self.batch_norm(source, f"{name}.bn")
        if not self.has(f"{name}.prelu"):
            return source
        slopes = f"{name}.prelu.weight"
        self._keep(slopes, self._weight(slopes).reshape(-1, 1, 1))
        return self.add("PRelu", [source, slopes], f"{name}.prelu")

    def block(self, source: str, name: str, *, stride: int = 1) -> str:
        """Widen, look around in each channel, narrow."""
        source = self.layer(source, f"{name}.conv")
        source = self.layer(source, f"{name}.conv_dw", stride=stride, padding=1)
        return self.layer(source, f"{name}.project")

    def residual(self, source: str, name: str) -> str:
        made = self.block(source, name)
        if self.has(f"{name}.se_module"):
            made = self._excite(made, f"{name}.se_module")
        return self.add("Add", [source, made], name)

    def _excite(self, source: str, name: str) -> str:
        squeezed = self.add("GlobalAveragePool", [source], f"{name}.mean")
        squeezed = self.batch_norm(self.convolution(squeezed, f"{name}.fc1"), f"{name}.bn1")
        squeezed = self.add("Relu", [squeezed], f"{name}.relu")
        squeezed = self.batch_norm(self.convolution(squeezed, f"{name}.fc2"), f"{name}.bn2")
        share = self.add("Sigmoid", [squeezed], f"{name}.share")
        return self.add("Mul", [source, share], name)

    def _weight(self, name: str) -> NDArray[np.generic]:
        if name not in self._weights:
            raise ModelDamaged(f"a liveness network has no weights '{name}'")
        return self._weights[name]

    def _keep(self, name: str, value: NDArray[np.generic]) -> None:
        self.constants.append(numpy_helper.from_array(value.astype(np.float32), name))


def to_onnx(weights: Weights) -> onnx.ModelProto:
    """The network as published: (N, 3, 80, 80) float32 BGR 0..255 to (N, 3) probabilities.

    Class 1 is a live face; the others are kinds of attack.

    Raises:
        ModelDamaged: weights are missing or do not fit one another.
    """
    net = _Writer(weights)
    made = net.layer(INPUT, "conv1", stride=2, padding=1)
    made = net.layer(made, "conv2_dw", padding=1)
    made = net.block(made, "conv_23", stride=2)
    for stage, following in zip(_STAGES, (*_STAGES[1:], ""), strict=True):
        for number in itertools.count():
            block = f"conv_{stage}.model.{number}"
            if not net.has(block):
                break
            made = net.residual(made, block)
        if following:
            made = net.block(made, f"conv_{stage}{following}", stride=2)
    made = net.layer(made, "conv_6_sep")
    made = net.layer(made, "conv_6_dw")
    made = net.add("Flatten", [made], "flat")
    made = net.add("Gemm", [made, net.constant("linear.weight")], "linear", transB=1)
    made = net.batch_norm(made, "bn")
    made = net.add("Gemm", [made, net.constant("prob.weight")], "prob", transB=1)
    net.add("Softmax", [made], OUTPUT, axis=1)
    model = helper.make_model(
        helper.make_graph(
            net.nodes,
            "minifasnet",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", CLASSES])],
            net.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as misfit:
        raise ModelDamaged(f"a liveness network's weights do not fit: {misfit}") from misfit
    return model
