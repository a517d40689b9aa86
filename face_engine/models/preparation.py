"""From a published file to the graph that runs, once, cached beside it.

The cache's name carries a digest of the source and of this module's version; the cached file's
own digest stands beside it, so that a half-written or damaged one is made again, silently.
"""

import logging
from pathlib import Path

import onnx

from face_engine.models import graphs, integers, minifasnet, yunet_heads
from face_engine.models.files import pack_folder, read_verified, sha256, write_atomically
from face_engine.models.registry import PinnedFile, PinnedPack, Role, Runtime
from face_engine.models.torch_archive import read_torch_archive

# Goes up with every change of what preparation does; old caches are then left aside.
PREPARATION_VERSION = 4

_LIVENESS = frozenset({Role.LIVENESS_NEAR, Role.LIVENESS_WIDE})

log = logging.getLogger(__name__)


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


def prepared_path(
    folder: Path, pack: PinnedPack, file: PinnedFile, runtime: Runtime = Runtime.ONNXRUNTIME
) -> Path:
    """Where the prepared graph of a file is cached."""
    key = sha256(f"{PREPARATION_VERSION}\0{runtime}{pack.ranges}\0{file.sha256}".encode())[:16]
    return pack_folder(folder, pack) / "prepared" / f"{file.role}-{key}.onnx"


def load_prepared(
    folder: Path, pack: PinnedPack, file: PinnedFile, runtime: Runtime = Runtime.ONNXRUNTIME
) -> bytes:
    """The prepared graph, from the cache or made now; the source is verified either way.

    InsightFace's add-on runs as published.

    A folder that cannot be written to (a read-only container) only costs the time again.

    Raises:
        ModelsMissing, ModelDamaged: about the source.
    """
    source = read_verified(folder, pack, file)
    if file.role is Role.LIVENESS_ALIGNED:
        return source
    path = prepared_path(folder, pack, file, runtime)
    digest_path = path.with_suffix(".sha256")
    try:
        cached = path.read_bytes()
        if sha256(cached) == digest_path.read_text("ascii").strip():
            return cached
        log.warning("prepared model damaged, preparing it again path=%s", path)
    except (OSError, UnicodeDecodeError):
        pass  # not there, or not readable: the same
    prepared = prepare(source, file.role, runtime, pack.ranges)
    try:
        write_atomically(path, prepared)
        write_atomically(digest_path, sha256(prepared).encode())
    except OSError as refused:
        log.warning("prepared model not cached path=%s error=%s", path, refused)
    return prepared
