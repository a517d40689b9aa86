"""onnxruntime sessions, set up the same way everywhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

CPU = ("CPUExecutionProvider",)


def open_session(model: bytes | Path, *, threads: int, providers: Sequence[str] = CPU) -> Any:
    """An `InferenceSession` of a serialised graph or of a file.

    `threads` is the number one run may use. Idle threads sleep instead of spinning: a door's
    cores are shared with its camera and its gate.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=list(providers))
