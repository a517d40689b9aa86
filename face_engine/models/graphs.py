"""Rewrites of ONNX graphs that keep the function and change how fast, or whether, it runs.

Published block-quantised files do not run on onnxruntime as they come, and its blocked CPU
layout does not cover PReLU. Each function here takes a model and changes it in place; none
changes what the model computes beyond rounding.
"""

from collections import Counter, defaultdict

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

# A slope nearer to 1 would put a factor of 1/(1 - slope) above 1,000 on rounding errors.
_NEAREST_TO_ONE = 0.001
# onnxruntime's own operators.
_CONTRIBUTED = "com.microsoft"

_Array = NDArray[np.generic]


def _constants(graph: onnx.GraphProto) -> dict[str, _Array]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def _attribute(node: onnx.NodeProto, name: str, default: float) -> float:
    for attribute in node.attribute:
        if attribute.name == name:
            value = onnx.helper.get_attribute_value(attribute)
            return float(value)
    return default


def _set_constant(graph: onnx.GraphProto, name: str, value: _Array) -> None:
    for tensor in graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(value, name))
            return
    graph.initializer.append(numpy_helper.from_array(value, name))


def _replace_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    del graph.node[:]
    graph.node.extend(nodes)


def _rename_input(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for position, name in enumerate(node.input):
            if name == old:
                node.input[position] = new


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    # Shapes noted between nodes were for the old batch, and none are needed to run.
    del graph.value_info[:]


def dequantize(quantized: _Array, scales: _Array, zeros: _Array, axis: int, block: int) -> _Array:
    """Block-wise ONNX `DequantizeLinear`: `(q - zero) * scale` per block along one axis."""
    wide = np.repeat(scales, block, axis=axis) if block else scales
    zero = np.repeat(zeros, block, axis=axis) if block else zeros
    extent = slice(0, quantized.shape[axis])
    where = tuple(extent if a == axis else slice(None) for a in range(quantized.ndim))
    if block:
        wide, zero = wide[where], zero[where]
    return (quantized.astype(np.float32) - zero.astype(np.float32)) * wide.astype(np.float32)


def fold_quantized_weights(model: onnx.ModelProto) -> None:
    """Compute `DequantizeLinear` and `Reshape` of constants once, here, into float weights."""
    graph = model.graph
    known = _constants(graph)
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and all(name in known for name in node.input):
            quantized, scales, zeros = (known[name] for name in node.input)
            value = dequantize(
                quantized,
                scales,
                zeros,
                int(_attribute(node, "axis", 1)),
                int(_attribute(node, "block_size", 0)),
            )
        elif node.op_type == "Reshape" and all(name in known for name in node.input):
            data, shape = (known[name] for name in node.input)
            value = data.reshape([int(extent) for extent in shape])
        else:
            kept.append(node)
            continue
        known[node.output[0]] = value
        _set_constant(graph, node.output[0], value)
    _replace_nodes(graph, kept)
    _drop_unused(graph)


def keep_only_real_inputs(model: onnx.ModelProto) -> None:
    """Drop inputs that are weights, or that nothing reads, and leave the picture's."""
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    kept = [value for value in graph.input if value.name in used - weights]
    del graph.input[:]
    graph.input.extend(kept)


def free_axes(model: onnx.ModelProto, axes: dict[int, str]) -> None:
    """Name the picture's given axes (0 batch, 2 height, 3 width) instead of fixing their size.

    Outputs lose their fixed sizes, and a `Reshape` to a batch of one keeps its input's batch.
    """
    graph = model.graph
    for value in graph.input:
        for axis, name in axes.items():
            value.type.tensor_type.shape.dim[axis].dim_param = name
    for value in graph.output:
        shape = value.type.tensor_type.shape
        for axis, extent in enumerate(shape.dim):
            if axis == 0:
                extent.dim_param = axes[0]
            elif axis == 1 and len(axes) > 1:
                extent.dim_param = f"{value.name}_count"
    known = _constants(graph)
    for node in graph.node:
        if node.op_type == "Reshape" and node.input[1] in known:
            target = known[node.input[1]].copy()
            if target[0] == 1:
                target[0] = 0  # ONNX: take this extent from the input
                _set_constant(graph, node.input[1], target)


def drop_dropouts(model: onnx.ModelProto) -> None:
    """Take out `Dropout`, which does nothing outside training."""
    graph = model.graph
    dropped = [node for node in graph.node if node.op_type == "Dropout"]
    _replace_nodes(graph, [node for node in graph.node if node.op_type != "Dropout"])
    for node in dropped:
        _rename_input(graph, node.output[0], node.input[0])
    used = {name for node in graph.node for name in node.input}
    _replace_nodes(
        graph,
        [n for n in graph.node if n.op_type != "Constant" or n.output[0] in used],
    )


def fold_batch_norms(model: onnx.ModelProto) -> None:
    """Fold each `BatchNormalization` right after a `Conv` or `Gemm` into its weights."""
    graph = model.graph
    known = _constants(graph)
    makers = {node.output[0]: node for node in graph.node}
    readers = Counter(name for node in graph.node for name in node.input)
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        before = makers.get(node.input[0]) if node.op_type == "BatchNormalization" else None
        if before is None or before.op_type not in {"Conv", "Gemm"} or readers[node.input[0]] != 1:
            kept.append(node)
            continue
        gamma, beta, mean, variance = (known[n].astype(np.float64) for n in node.input[1:5])
        factor = gamma / np.sqrt(variance + float(_attribute(node, "epsilon", 1e-5)))
        weight = known[before.input[1]].astype(np.float64)
        bias = (
            known[before.input[2]].astype(np.float64)
            if len(before.input) > 2  # noqa: PLR2004 — input 2 of Conv and Gemm is the bias
            else np.zeros(len(factor))
        )
        outputs_first = before.op_type == "Conv" or bool(_attribute(before, "transB", 0))
        along = (-1, *[1] * (weight.ndim - 1)) if outputs_first else (1, -1)
        name = f"{before.output[0]}_folded"
        _set_constant(graph, f"{name}_weight", (weight * factor.reshape(along)).astype(np.float32))
        _set_constant(graph, f"{name}_bias", ((bias - mean) * factor + beta).astype(np.float32))
        del before.input[1:]
        before.input.extend([f"{name}_weight", f"{name}_bias"])
        before.output[0] = node.output[0]
    _replace_nodes(graph, kept)
    _drop_unused(graph)


def _depthwise(graph: onnx.GraphProto, source: str, factors: _Array, output: str) -> onnx.NodeProto:
    """A 1x1 depthwise convolution that multiplies each channel by its factor."""
    weight = f"{output}_factors"
    _set_constant(graph, weight, factors.astype(np.float32).reshape(-1, 1, 1, 1))
    return onnx.helper.make_node(
        "Conv",
        [source, weight],
        [output],
        name=output,
        group=int(factors.size),
        kernel_shape=[1, 1],
    )


def rewrite_prelus(model: onnx.ModelProto) -> None:
    """Write each `PReLU` as depthwise convolutions, which onnxruntime's blocked layout covers.

    `PReLU(x) = s·x + (1 - s)·ReLU(x)`. Where x comes from one folded convolution, that one is
    scaled by |1 - s|, and `ReLU(x') + r·x'` is left: one depthwise convolution instead of two.
    Where s is above 1 that is the output's negative, and the convolution that reads it turns it
    back.
    """
    graph = model.graph
    known = _constants(graph)
    makers = {node.output[0]: node for node in graph.node}
    readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            readers[name].append(node)
    outputs = {value.name for value in graph.output}

    def rescale(name: str, factors: NDArray[np.float64], axis: int) -> None:
        value = known[name].astype(np.float64)
        shape = [-1 if a == axis else 1 for a in range(value.ndim)]
        known[name] = (value * factors.reshape(shape)).astype(np.float32)
        _set_constant(graph, name, known[name])

    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != "PRelu" or node.input[1] not in known:
            nodes.append(node)
            continue
        source, output = node.input[0], node.output[0]
        slope = known[node.input[1]].astype(np.float64).reshape(-1)
        rest = 1 - slope
        before, after = makers.get(source), readers[output]
        scalable = (
            before is not None
            and before.op_type == "Conv"
            and len(before.input) == 3  # noqa: PLR2004 — data, weight, bias
            and len(readers[source]) == 1
            and np.abs(rest).min() >= _NEAREST_TO_ONE
        )
        negatable = output not in outputs and [one.op_type for one in after] == ["Conv"]
        if scalable and before is not None and (negatable or rest.min() > 0):
            for name in before.input[1:3]:
                rescale(name, np.abs(rest), axis=0)
            if rest.min() < 0:
                depthwise = known[after[0].input[1]].shape[1] == 1
                rescale(after[0].input[1], np.sign(rest), axis=0 if depthwise else 1)
            nodes += [
                onnx.helper.make_node("Relu", [source], [f"{output}_positive"]),
                _depthwise(graph, source, slope / rest, f"{output}_linear"),
            ]
        else:
            nodes += [
                onnx.helper.make_node("Relu", [source], [f"{output}_relu"]),
                _depthwise(graph, f"{output}_relu", rest, f"{output}_positive"),
                _depthwise(graph, source, slope, f"{output}_linear"),
            ]
        nodes.append(
            onnx.helper.make_node(
                "Add",
                [f"{output}_linear", f"{output}_positive"],
                [output],
                name=f"{output}_sum",
            ),
        )
    _replace_nodes(graph, nodes)
    _drop_unused(graph)


def multiply_by_blocks(model: onnx.ModelProto) -> None:
    """Let each `Gemm` read its block-quantised weights as they are published: 8 bits a weight.

    One face's product with a large matrix waits for memory, and this is a quarter of it. The
    weights keep their exact values; onnxruntime's `MatMulNBits` rounds the other factor to 8 bits,
    too, block by block. Call before the weights are folded.
    """
    graph = model.graph
    known = _constants(graph)
    makers = {node.output[0]: node for node in graph.node}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        source = makers.get(node.input[1]) if node.op_type == "Gemm" else None
        if source is None or source.op_type != "DequantizeLinear":
            nodes.append(node)
            continue
        quantized, scales, zeros = (known[name] for name in source.input)
        (columns, rows), block = quantized.shape, int(_attribute(source, "block_size", 0))
        name = node.output[0]
        _set_constant(graph, f"{name}_weight", _unsigned(quantized).reshape(columns, -1, block))
        _set_constant(graph, f"{name}_scales", scales.astype(np.float32).reshape(-1))
        _set_constant(graph, f"{name}_zeros", _unsigned(zeros).reshape(columns, -1))
        weights = [f"{name}_weight", f"{name}_scales", f"{name}_zeros"]
        nodes += [
            onnx.helper.make_node(
                "MatMulNBits",
                [node.input[0], *weights],
                [f"{name}_product"],
                domain=_CONTRIBUTED,
                K=rows,
                N=columns,
                bits=8,
                block_size=block,
                accuracy_level=4,  # the other factor in 8 bits
            ),
            onnx.helper.make_node("Add", [f"{name}_product", node.input[2]], [name]),
        ]
        model.opset_import.append(onnx.helper.make_opsetid(_CONTRIBUTED, 1))
    _replace_nodes(graph, nodes)
    _drop_unused(graph)


def _unsigned(values: _Array) -> _Array:
    """Signed 8-bit values and zero points, both moved up by 128."""
    return (values.astype(np.int16) + 128).astype(np.uint8)
