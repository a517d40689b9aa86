"""SFace's convolutions in 8-bit integers, from the ranges in which its activations were seen.

Between them `PReLU(x) = max(x, s·x)` for s up to 1: a depthwise convolution gives `s·x` at the
scale of x, and the bytes are compared as they are. A channel whose s is above 1 is turned around
(`-PReLU(-x)` is `max(x, s·x)` again), and the convolution that reads it turns it back. The network
was trained to keep every channel at a variance of 1, so an activation needs one scale only; weights
have one for each output.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_STEPS = 255  # of a byte
# Processors without dot products of bytes add two products in 16 bits: with 7-bit weights that
# never overflows, and vectors are the same everywhere.
_LARGEST_WEIGHT = 64

Ranges = dict[str, tuple[float, float]]
"""Lowest and highest value that each PReLU takes or gives, by the name of its output."""


@dataclass(frozen=True, slots=True)
class _Activation:
    """A tensor of bytes that stand for `scale * (byte - zero)`."""

    name: str
    scale: float
    zero: int

    @property
    def names(self) -> list[str]:
        """As operators read it: the tensor, its scale, its zero."""
        return [self.name, *self.quantisation]

    @property
    def quantisation(self) -> list[str]:
        return [f"{self.name}_scale", f"{self.name}_zero"]


def load_ranges(name: str) -> Ranges:
    """The ranges shipped under a name; their file says which photos and command they are from."""
    file = resources.files("face_engine") / "ranges" / f"{name}.json"
    return {of: (low, high) for of, (low, high) in json.loads(file.read_text())["ranges"].items()}


def to_integers(model: onnx.ModelProto, ranges: Ranges) -> None:
    """Rewrite SFace in place, its weights and batch norms folded, its PReLUs as published.

    What follows the last convolution stays as it is.
    """
    graph = model.graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    subtract, multiply = graph.node[:2]  # SFace's own normalisation of pixels
    mean, factor = (float(known[node.input[1]].item()) for node in (subtract, multiply))
    last = max(place for place, node in enumerate(graph.node) if node.op_type == "PRelu")
    writer = _Writer()
    # A pixel is a byte already, but the byte of zero must be whole. The rest goes into the bias.
    now = writer.declare(_Activation("pixels", factor, round(mean)))
    off = (now.zero - mean) * factor
    as_it_is = [writer.constant("one", np.float32(1)), writer.constant("nothing", np.uint8(0))]
    writer.nodes.append(
        helper.make_node("QuantizeLinear", [subtract.input[0], *as_it_is], [now.name])
    )
    before = np.ones(1)
    for convolution, prelu in _layers(graph):
        weight, bias = (known[name].astype(np.float64) for name in convolution.input[1:])
        slope = known[prelu.input[1]].astype(np.float64).reshape(-1)
        sign = np.where(slope > 1, -1.0, 1.0)
        depthwise = weight.shape[1] == 1
        weight *= before.reshape((-1, 1, 1, 1) if depthwise else (1, -1, 1, 1))
        weight *= sign.reshape(-1, 1, 1, 1)
        bias = bias * sign + off * weight.sum(axis=(1, 2, 3))
        now = writer.layer(now, convolution, weight, bias, slope, ranges[prelu.output[0]])
        before, off = sign, 0.0
    floats = [graph.node[last].output[0]]
    writer.nodes.append(helper.make_node("DequantizeLinear", now.names, floats))
    writer.nodes.extend(graph.node[last + 1 :])
    read = {name for node in writer.nodes for name in node.input}
    constants = [tensor for tensor in graph.initializer if tensor.name in read] + writer.constants
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(writer.nodes)
    graph.initializer.extend(constants)


def _layers(graph: onnx.GraphProto) -> Iterator[tuple[onnx.NodeProto, onnx.NodeProto]]:
    """Each convolution with the PReLU behind it."""
    for node, after in zip(graph.node, graph.node[1:], strict=False):
        if (node.op_type, after.op_type) == ("Conv", "PRelu"):
            yield node, after


class _Writer:
    """The nodes and constants of the integer part."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def declare(self, activation: _Activation) -> _Activation:
        scale, zero = activation.quantisation
        self.constant(scale, np.float32(activation.scale))
        self.constant(zero, np.uint8(activation.zero))
        return activation

    def layer(
        self,
        source: _Activation,
        convolution: onnx.NodeProto,
        weight: NDArray[np.float64],
        bias: NDArray[np.float64],
        slope: NDArray[np.float64],
        reach: tuple[float, float],
    ) -> _Activation:
        """A convolution and its PReLU; `reach` is what the bytes of both reach from and to."""
        low, high = reach
        name = convolution.output[0]
        scale = (high - low) / _STEPS
        plain = self.declare(_Activation(name, scale, round(-low / scale)))
        self._convolve(source, plain, name, weight, bias, convolution.attribute)
        channels = helper.make_attribute("group", len(slope))
        self._convolve(plain, plain, f"{name}_sloped", slope.reshape(-1, 1, 1, 1), None, [channels])
        bent = self.declare(_Activation(f"{name}_bent", plain.scale, plain.zero))
        self.nodes.append(helper.make_node("Max", [name, f"{name}_sloped"], [bent.name]))
        return bent

    def _convolve(
        self,
        source: _Activation,
        scaled_as: _Activation,
        output: str,
        weight: NDArray[np.float64],
        bias: NDArray[np.float64] | None,
        attributes: Iterable[onnx.AttributeProto],
    ) -> None:
        largest = np.abs(weight).max(axis=(1, 2, 3))
        scales = np.where(largest > 0, largest, 1) / _LARGEST_WEIGHT
        rounded = np.round(weight / scales.reshape(-1, 1, 1, 1)).astype(np.int8)
        inputs = [
            *source.names,
            self.constant(f"{output}_weight", rounded),
            self.constant(f"{output}_weight_scale", scales.astype(np.float32)),
            self.constant(f"{output}_weight_zero", np.zeros(len(scales), np.int8)),
            *scaled_as.quantisation,
        ]
        if bias is not None:
            whole = np.round(bias / (scales * source.scale)).astype(np.int32)
            inputs.append(self.constant(f"{output}_bias", whole))
        node = helper.make_node("QLinearConv", inputs, [output])
        node.attribute.extend(attributes)
        self.nodes.append(node)
