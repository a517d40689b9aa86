"""OpenVINO behind the few calls that this engine makes of an onnxruntime session.

An extra: `pip install 'gatehouse-access[openvino]'`. It has PReLU and depthwise convolutions of its
own, so it takes the encoder's graph before that is rewritten for onnxruntime.
"""

import threading
from typing import Any

from face_engine.errors import ModelsMissing


class OpenVinoSession:
    """One compiled model; may be run from several threads at once."""

    def __init__(self, model: bytes, *, threads: int, batch: int | None = None) -> None:
        """Compile a serialised ONNX graph.

        Args:
            model: the graph.
            threads: what one run may use.
            batch: fixes the size of a batch, which is faster, or None.

        Raises:
            ModelsMissing: the package `openvino` is not installed.
        """
        try:
            import openvino  # noqa: PLC0415 -- an optional package, slow to import
        except ModuleNotFoundError as missing:
            raise ModelsMissing(
                "The runtime 'openvino' needs the Python package of that name: "
                "pip install 'gatehouse-access[openvino]'"
            ) from missing
        core = openvino.Core()
        graph = core.read_model(model, b"")
        if batch is not None:
            shape = graph.input(0).get_partial_shape()
            shape[0] = batch
            graph.reshape(shape)
        # Left to itself it takes 16-bit floats where the processor has them: another space.
        hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(threads)}
        self._compiled = core.compile_model(graph, "CPU", hints)
        self._own = threading.local()

    def run(self, output_names: list[str] | None, input_feed: dict[str, Any]) -> list[Any]:
        """See `faces.Session`."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        results = request.infer(input_feed)
        if output_names is None:
            return list(results.to_tuple())
        return [results[name] for name in output_names]
