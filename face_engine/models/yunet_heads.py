"""YuNet's twelve output branches, joined into one.

Each of the four branches of a stride is a 1x1 and a depthwise convolution of the same features, to
1, 1, 4 and 10 channels. onnxruntime rounds each up to 16; side by side they are exactly 16, at a
quarter of the price. All come out in one piece, plane by plane: what decides about a cell then lies
side by side, and is read at a glance.
"""

from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

from face_engine.detector import OUTPUT, STRIDES

_BRANCHES: Final = ("cls", "obj", "bbox", "kps")
"""In the order in which `detector.decode` reads their planes."""
_PLANES: Final = 16


def join_heads(model: onnx.ModelProto) -> None:
    """Put one output (batch, 16, cells) in the place of all; scores stay without sigmoid."""
    graph = model.graph
    makers = {node.output[0]: node for node in graph.node}
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept = list(graph.node)
    levels = []
    for stride in STRIDES:
        convolutions: list[tuple[onnx.NodeProto, onnx.NodeProto]] = []
        for branch in _BRANCHES:
            node = makers[f"{branch}_{stride}"]
            while node.op_type != "Conv":
                kept.remove(node)
                node = makers[node.input[0]]
            convolutions.append((makers[node.input[0]], node))
        name = f"level_{stride}"
        points, planes = zip(*convolutions, strict=True)
        for part, nodes in (("point", points), ("plane", planes)):
            for position, kind in ((1, "weight"), (2, "bias")):
                joined = np.concatenate([known[node.input[position]] for node in nodes])
                graph.initializer.append(numpy_helper.from_array(joined, f"{name}_{part}_{kind}"))
            for node in nodes:
                kept.remove(node)
        kept += [
            helper.make_node(
                "Conv",
                [points[0].input[0], f"{name}_point_weight", f"{name}_point_bias"],
                [f"{name}_point"],
                kernel_shape=[1, 1],
            ),
            helper.make_node(
                "Conv",
                [f"{name}_point", f"{name}_plane_weight", f"{name}_plane_bias"],
                [f"{name}_plane"],
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
                group=_PLANES,
            ),
            helper.make_node("Reshape", [f"{name}_plane", "level_shape"], [name]),
        ]
        levels.append(name)
    flat = np.array([0, _PLANES, -1])
    graph.initializer.append(numpy_helper.from_array(flat, "level_shape"))
    kept.append(helper.make_node("Concat", levels, [OUTPUT], axis=2))
    shape: list[str | int | None] = ["batch", _PLANES, "cells"]
    outputs = [helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, shape)]
    used = {name for node in kept for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    for repeated, content in (
        (graph.node, kept),
        (graph.output, outputs),
        (graph.initializer, weights),
    ):
        del repeated[:]
        repeated.extend(content)
