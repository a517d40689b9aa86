"""What a monitoring agent on the unit itself asks: health and metrics, on loopback alone.

The server's metrics tell the same of every door from what the doors send it; these serve where
somebody looks at one unit, or while its link is down.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from door_terminal.terminal import Terminal
from tier_kit.metrics import CONTENT_TYPE, gauge, new_registry, write_out
from tier_link.estate_messages import DoorPresence


def operation_routes(terminal: Terminal) -> list[Route]:
    """Return the routes for whoever keeps the unit running."""
    registry: CollectorRegistry = new_registry("door")
    registry.register(DoorReadings(terminal))

    async def live(request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        """Answer 200 once the door can decide, else 503.

        A link or a camera that is away is told and hinders nothing: the door goes on by what it
        holds, by PIN and pass, and starting it anew would not bring them back.
        """
        del request
        hindrances, troubles = await run_in_threadpool(_look, terminal)
        body = {
            "status": "not-ready" if hindrances else "ok",
            "hindrances": hindrances,
            "troubles": troubles,
        }
        return JSONResponse(body, 503 if hindrances else 200)

    async def metrics(request: Request) -> Response:
        del request
        return Response(await run_in_threadpool(write_out, registry), media_type=CONTENT_TYPE)

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
    ]


def _look(terminal: Terminal) -> tuple[list[str], list[str]]:
    presence = terminal.presence()  # asks the database
    hindrances = []
    if terminal.configuration.current is None:
        hindrances.append("not-configured")
    if not terminal.knows:
        hindrances.append("key-awaited")
    troubles = [code for code in (presence.vision, presence.gate) if code]
    if presence.camera not in {"", "camera-none"}:
        troubles.append(presence.camera)
    if terminal.uplink.link is None:
        troubles.append("link-down")
    if not presence.time_known:
        troubles.append("time-unknown")
    return hindrances, troubles


class DoorReadings(Collector):
    """A collector of one door's figures, as it sends them to the server."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def collect(self) -> Iterator[Metric]:
        """Yield them as they stand."""
        terminal, presence = self._terminal, self._terminal.presence()
        yield gauge(
            "gatehouse_link_connected",
            "1 while the link to the server is up.",
            float(terminal.uplink.link is not None),
        )
        yield from _of_presence(presence)
        heartbeat = terminal.vision.heartbeat
        for name, help_, value in (
            ("gatehouse_vision_starts", "How often vision was started.", terminal.vision.starts),
            ("gatehouse_decisions", "Decisions since the start.", terminal.outcomes),
            (
                "gatehouse_frames",
                "Pictures that vision took since its start.",
                heartbeat.frames if heartbeat else 0,
            ),
        ):
            yield CounterMetricFamily(name, help_, value=value)


def _of_presence(presence: DoorPresence) -> Iterator[GaugeMetricFamily]:
    for name, help_, value in (
        (
            "camera_ok",
            "1 while the camera delivers, or none is wanted.",
            float(presence.camera in {"", "camera-none"}),
        ),
        ("vision_ok", "1 while faces can be recognised.", float(not presence.vision)),
        ("gate_ok", "1 unless the gate did not obey last.", float(not presence.gate)),
        ("time_known", "1 while the time is known.", float(presence.time_known)),
        ("unsent_entries", "Entries that the server has not acknowledged.", presence.queue),
        ("detect_seconds", "Detecting faces in one picture.", presence.detect_ms / 1000),
        ("encode_seconds", "Encoding one face.", presence.encode_ms / 1000),
        ("disk_free_bytes", "Free where entries are kept.", presence.disk_free),
        ("temperature_celsius", "The warmest part.", presence.temperature_c),
    ):
        if value is not None:
            yield gauge(f"gatehouse_{name}", help_, value)
