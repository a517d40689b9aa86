"""From a published file to the graph that runs; `prepared` keeps the result."""

import onnx

from face_engine.models import graphs, integers, minifasnet, yunet_heads
from face_engine.models.registry import Role, Runtime
from face_engine.models.torch_archive import read_torch_archive

_LIVENESS = frozenset({Role.LIVENESS_NEAR, Role.LIVENESS_WIDE})


def mend(source: bytes, role: Role) -> onnx.ModelProto:
    """The published graph, runnable: weights folded to float, no stray inputs, free axes."""
    return _mended(_read(source, role), role)


def prepare(
    source: bytes, role: Role, runtime: Runtime = Runtime.ONNXRUNTIME, ranges: str = ""
) -> bytes:
    """The graph we run, as serialised ONNX: mended, and made fast without changing its answer.

    With `ranges` (`PinnedPack.ranges`) an encoder is rewritten in 8-bit integers, which changes
    its answer a little.
    """
    model = _read(source, role)
    if runtime is Runtime.ONNXRUNTIME:
        graphs.multiply_by_blocks(model)
    model = _mended(model, role)
    graphs.drop_dropouts(model)
    graphs.fold_batch_norms(model)
    if role is Role.ENCODER and ranges:
        integers.to_integers(model, integers.load_ranges(ranges))
    elif runtime is Runtime.ONNXRUNTIME:
        graphs.rewrite_prelus(model)
    if role is Role.DETECTOR:
        yunet_heads.join_heads(model)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _read(source: bytes, role: Role) -> onnx.ModelProto:
    if role in _LIVENESS:
        return minifasnet.to_onnx(read_torch_archive(source))
    return onnx.load_from_string(source)


def _mended(model: onnx.ModelProto, role: Role) -> onnx.ModelProto:
    if role in _LIVENESS:
        return model  # as we write it
    graphs.fold_quantized_weights(model)
    graphs.keep_only_real_inputs(model)
    axes = {0: "batch"}
    if role is Role.DETECTOR:
        axes |= {2: "height", 3: "width"}
    graphs.free_axes(model, axes)
    return model
