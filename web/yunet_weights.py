"""YuNet's weights, from the published int8 ONNX model to the small file that the form reads.

The layout stands in `detector/weights.ts`. The int8 values, scales and zero points are carried
over as they are; the few layers that the model keeps in float stay float.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from face_engine.models.files import read_verified
from face_engine.models.registry import OPENCV_ZOO, Role, default_folder

_QUANTISED: Final = "_quantized"
_RESHAPED: Final = "_reshaped"
_DEQUANTISED: Final = "_dequantized"
_ROW_PARTS: Final = ("_scales", "_zero_point")


def pack(models: Path | None = None) -> bytes:
    """Return the weights of the default pack's detector for the browser.

    Args:
        models: the models folder, by default the one that `gatehouse models fetch` fills.

    Raises:
        face_engine.errors.FaceEngineError: the model is missing or damaged.
    """
    data = read_verified(models or default_folder(), OPENCV_ZOO, OPENCV_ZOO.file(Role.DETECTOR))
    graph = onnx.load_from_string(data).graph
    values = {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.initializer}
    shapes: list[tuple[int, int, int, int]] = []
    floats: list[NDArray[Any]] = []
    integers: list[NDArray[np.int8]] = []
    for convolution in (entry for entry in graph.node if entry.op_type == "Conv"):
        weight, bias = convolution.input[1], convolution.input[2]
        name = weight.removesuffix(_RESHAPED)
        quantised = name + _QUANTISED in values
        if quantised:
            rows = values[name + _QUANTISED]
            integers.append(rows)
            # One block per output: a scale and a zero point each.
            floats += [values[name + part].reshape(len(rows)) for part in _ROW_PARTS]
        else:
            rows = values[weight].reshape(len(values[weight]), -1)
            floats.append(rows.reshape(-1))
        floats.append(_bias(values, bias))
        kernel = _kernel(convolution)
        shapes.append((len(rows), rows.shape[1] // kernel**2, kernel, int(quantised)))
    return b"".join(
        (
            np.array(len(shapes), "<u4").tobytes(),
            np.array(shapes, "<u2").tobytes(),
            *(part.astype("<f4").tobytes() for part in floats),
            *(part.astype("<i1").tobytes() for part in integers),
        )
    )


def _bias(values: dict[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    if name in values:
        return values[name].astype(np.float32)
    name = name.removesuffix(_DEQUANTISED)
    integers, scale, zero = (
        values[name + part].astype(np.float32) for part in (_QUANTISED, *_ROW_PARTS)
    )
    return (integers - zero) * scale


def _kernel(convolution: Any) -> int:
    shape = next(item for item in convolution.attribute if item.name == "kernel_shape")
    return int(shape.ints[0])
