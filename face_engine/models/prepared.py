"""Graphs that were prepared once, cached beside the published file.

The cache's name carries a digest of the source and of the preparation's version; the cached file's
own digest stands beside it, so that a half-written or damaged one is made again, silently.
"""

import logging
from pathlib import Path
from typing import Final

from face_engine.models.files import pack_folder, read_verified, sha256, write_atomically
from face_engine.models.registry import PinnedFile, PinnedPack, Role, Runtime

PREPARATION_VERSION: Final = 4
"""Goes up with every change of what `preparation` does; old caches are then left aside."""

_log = logging.getLogger(__name__)


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
        _log.warning("prepared model damaged, preparing it again path=%s", path)
    except (OSError, UnicodeDecodeError):
        pass  # not there, or not readable: the same
    # A door that has its graphs does not hold in memory what rewrites them: 11 MB and more.
    from face_engine.models.preparation import prepare  # noqa: PLC0415 -- see above

    prepared = prepare(source, file.role, runtime, pack.ranges)
    try:
        write_atomically(path, prepared)
        write_atomically(digest_path, sha256(prepared).encode())
    except OSError as refused:
        _log.warning("prepared model not cached path=%s error=%s", path, refused)
    return prepared
