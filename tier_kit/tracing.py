"""Traces of one enrollment or entry across the tiers, where an installation asks for them.

OpenTelemetry (https://opentelemetry.io/docs/specs/otel/trace/), sent by OTLP over HTTP. Ids of
entries and envelopes are 128 random bits written as 32 hex digits, and so are ids of traces: what
an id stands for is the trace of that id, in every tier, and nothing about traces is on any wire.
Spans carry ids of doors, communities and what they are about; never a name, a person or a reason.

Off unless `start_tracing` was called, and then in the extra `traces` alone.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from threading import Thread
from typing import TYPE_CHECKING, Final

from tier_kit.settings import ConfigurationRefused

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_DISTRIBUTION: Final = "gatehouse-access"
_EXPORT_S: Final = 5.0
"""Seconds for the collector to answer: what it does not take is dropped, and nothing waits."""
_STOP_S: Final = 3.0
"""Seconds for which a tier that is told to stop waits for its collector."""
_subject: Final[ContextVar[int]] = ContextVar("subject", default=0)
_started: list["TracerProvider"] = []


def start_tracing(address: str, tier: str, instance: str = "") -> None:
    """Send this process's spans to a collector from now on; nothing for an empty address.

    Args:
        address: of OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`.
        tier: the service's name behind `gatehouse-`.
        instance: a door's id, where there are many of the tier.

    Raises:
        ConfigurationRefused: the extra `traces` is not installed.
    """
    if not address:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 -- an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 -- the same
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise ConfigurationRefused(
            "the setting 'traces' needs what pip install 'gatehouse-access[traces]' installs"
        ) from missing

    class OfSubject(RandomIdGenerator):
        """Names a trace after what it is about."""

        def generate_trace_id(self) -> int:
            return _subject.get() or super().generate_trace_id()

    service = {"service.name": f"gatehouse-{tier}", "service.version": version(_DISTRIBUTION)}
    if instance:
        service["service.instance.id"] = instance
    provider = TracerProvider(
        resource=Resource(service), id_generator=OfSubject(), shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(endpoint=address, timeout=_EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _started.append(provider)


def stop_tracing() -> None:
    """Send what waits, for a moment, and end; nothing where tracing was never started."""
    while _started:
        # The library's own end waits half a minute for a collector that is away.
        ending = Thread(target=_started.pop().shutdown, daemon=True)
        ending.start()
        ending.join(_STOP_S)


@contextmanager
def traced(name: str, subject: str, **ids: str) -> Iterator[None]:
    """Time a step of what `subject`, 32 hex digits, is the id of.

    A step that fails is marked so, without the error's words.
    """
    began = time.time_ns()
    try:
        yield
    except BaseException:
        _record(name, subject, began, ids, failed=True)
        raise
    _record(name, subject, began, ids)


def trace_past(name: str, subject: str, took_ms: float, **ids: str) -> None:
    """Note a step that has just ended and took so long."""
    _record(name, subject, time.time_ns() - int(took_ms * 1e6), ids)


def _record(
    name: str, subject: str, began: int, ids: dict[str, str], *, failed: bool = False
) -> None:
    if not _started:
        return
    from opentelemetry.context import Context  # noqa: PLC0415 -- loaded already where this is on
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 -- the same

    token = _subject.set(int(subject, 16))
    try:
        attributes = {f"gatehouse.{key}": value for key, value in ids.items()}
        tracer = _started[-1].get_tracer(__name__)
        span = tracer.start_span(name, Context(), attributes=attributes, start_time=began)
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
    finally:
        _subject.reset(token)
