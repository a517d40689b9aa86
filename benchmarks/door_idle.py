"""What a door costs while nobody is there, against detecting faces in every picture.

The vision process as it is, before a network camera that shows an empty, noisy view; the same
process with a motion gate that always says yes; and that searching whole pictures, as a door would
that knows no zone.
"""

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure
from door_terminal.settings import Settings
from door_terminal.vision.messages import (
    LENGTH_SIZE,
    Beat,
    FromVision,
    Heartbeat,
    Watch,
    body_length,
    frame,
    from_vision,
)
from face_engine.models import DEFAULT_PACK
from gatehouse.camera_feed import CameraFeed

ROUNDS: Final = 3
SECONDS: Final = 6.0
_PATIENCE_S: Final = 60.0
_WATCH: Final = Watch(40, 300, 35, 2, encode=True, crops=False)
_AS_IT_IS: Final = "from door_terminal.vision.__main__ import main; main()"
_ALWAYS: Final = (
    "from door_terminal.vision.motion import MotionGate;"
    f"MotionGate.moved = lambda gate, image: True; {_AS_IT_IS}"
)
_WHOLE: Final = (
    "import door_terminal.vision.watcher as watcher;"
    f"watcher.search_side = lambda image, least_eyes: max(image.shape); {_ALWAYS}"
)


def run() -> list[Figure]:
    """Measure in turn and return the figures."""
    idle, always, whole, looks = [], [], [], []
    with CameraFeed() as feed:
        for _ in range(ROUNDS):
            share, detections = _share(feed.url, _AS_IT_IS, settled=lambda one: not one.watching)
            idle.append(share)
            looks.append(detections)
            always.append(_share(feed.url, _ALWAYS, settled=lambda one: one.detections > 0)[0])
            whole.append(_share(feed.url, _WHOLE, settled=lambda one: one.detections > 0)[0])
    note = f"15 pictures a second of 640 x 480; detections meanwhile: {sum(looks)}"
    return [
        _figure("as finely as the zone needs", idle, always, note),
        _figure("at full resolution", idle, whole, note),
    ]


def _figure(how: str, idle: list[float], reference: list[float], note: str) -> Figure:
    return Figure(
        name=f"door: CPU of vision, nobody in view ({how})",
        median=1000 * statistics.median(idle),
        unit="ms per s",
        samples=ROUNDS,
        reference=f"searching every picture {how}",
        reference_median=1000 * statistics.median(reference),
        ratio=statistics.median(one / two for one, two in zip(idle, reference, strict=True)),
        note=note,
    )


def _share(camera: str, code: str, *, settled: Callable[[Heartbeat], bool]) -> tuple[float, int]:
    """Return CPU seconds per second of one vision process, and how often it ran the detector."""
    with _vision(camera, code) as (process, heartbeats):
        before = next(one for one in heartbeats if one.camera == "" and settled(one))
        start, used = time.monotonic(), _cpu_seconds(process)
        after = next(one for one in heartbeats if time.monotonic() - start >= SECONDS)
        share = (_cpu_seconds(process) - used) / (time.monotonic() - start)
    return share, after.detections - before.detections


def _cpu_seconds(process: int) -> float:
    """Return what the threads that live now have run, to the nanosecond.

    An idle door runs so little that the kernel's usual account, in hundredths of a second, is too
    coarse; vision's threads live as long as it does.
    """
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9


@contextmanager
def _vision(camera: str, code: str) -> Iterator[tuple[int, Iterator[Heartbeat]]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(_PATIENCE_S)
    with (
        ours,
        theirs,
        subprocess.Popen(
            [sys.executable, "-c", code, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        settings = Settings(camera=camera, model_pack=DEFAULT_PACK).model_dump_json().encode()
        ours.sendall(len(settings).to_bytes(LENGTH_SIZE, "big") + settings)
        ours.sendall(frame(_WATCH))
        try:
            yield process.pid, _heartbeats(ours)
        finally:
            process.kill()


def _heartbeats(connection: socket.socket) -> Iterator[Heartbeat]:
    while True:
        message = _next(connection)
        if isinstance(message, Heartbeat):
            connection.sendall(frame(Beat()))
            yield message


def _next(connection: socket.socket) -> FromVision:
    prefix = connection.recv(LENGTH_SIZE, socket.MSG_WAITALL)
    return from_vision(connection.recv(body_length(prefix), socket.MSG_WAITALL))
