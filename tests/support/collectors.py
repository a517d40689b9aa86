"""A collector of traces in the test's own process: OTLP over HTTP, read by its own schema."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass(frozen=True)
class Span:
    """One span as it arrived; `trace` is 32 hex digits, times are Unix nanoseconds."""

    service: str
    instance: str
    trace: str
    name: str
    began: int
    ended: int
    failed: bool
    attributes: dict[str, str]


@dataclass
class Collector:
    """What has arrived."""

    address: str
    bodies: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def spans(self, trace: str = "") -> list[Span]:
        """Return the spans of one trace, or all."""
        with self.lock:
            bodies = list(self.bodies)
        found = [span for body in bodies for span in _read(body)]
        return [one for one in found if not trace or one.trace == trace]


def _read(body: bytes) -> Iterator[Span]:
    service_pb2 = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    request = service_pb2.ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        of = {one.key: one.value.string_value for one in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    of["service.name"],
                    of.get("service.instance.id", ""),
                    span.trace_id.hex(),
                    span.name,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code == span.status.STATUS_CODE_ERROR,
                    {one.key: one.value.string_value for one in span.attributes},
                )


@contextmanager
def collector() -> Iterator[Collector]:
    """Listen on a free port until the block ends."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra traces")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with here.lock:
                here.bodies.append(body)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield here
        server.shutdown()
        thread.join(5)
