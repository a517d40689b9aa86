"""A network camera that shows what it is told: MJPEG over HTTP, on the loopback interface.

The demo and the end-to-end tests stand people before a door with it. The door opens its
address like that of any other network camera.
"""

import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np

from gatehouse.scenes import FRAME_RATE, Image, empty_view

_BOUNDARY: Final = "frame"
_EMPTY_FRAMES: Final = 8  # noise of an empty view, in turn; enough not to look frozen


def _jpeg(frame: Image) -> bytes:
    _, encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return encoded.tobytes()


class CameraFeed:
    """Serves an endless stream: an empty wall, or the frames given to `show`.

    Use as a context manager; `url` is what the door is given. Another one may take its `port`
    later: the same camera, back again.
    """

    def __init__(self, *, seed: int = 0, port: int = 0) -> None:
        random = np.random.default_rng(seed)
        self._empty = [_jpeg(empty_view(random)) for _ in range(_EMPTY_FRAMES)]
        self._frame = self._empty[0]
        self._number = 0
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self._scene: list[bytes] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._threads = [
            threading.Thread(target=self._server.serve_forever, daemon=True),
            threading.Thread(target=self._play, daemon=True),
        ]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """Address of the stream."""
        return f"http://127.0.0.1:{self.port}/video.mjpg"

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def show(self, frames: Iterable[Image]) -> float:
        """Play `frames` at `FRAME_RATE`; return once the last one has been shown.

        Returns:
            When the first one was, in `time.monotonic()` seconds.
        """
        scene = [_jpeg(frame) for frame in frames]
        with self._news:
            waiting = len(scene)
            self._scene = scene
            self._news.wait_for(
                lambda: not self._scene or len(self._scene) < waiting or self._stopping.is_set()
            )
            began = time.monotonic()
            self._news.wait_for(lambda: not self._scene or self._stopping.is_set())
        return began

    def clear(self) -> None:
        """Show the empty wall from now on; whoever waits in `show` waits no longer."""
        with self._news:
            self._scene = []
            self._news.notify_all()

    def _play(self) -> None:
        while not self._stopping.wait(1 / FRAME_RATE):
            with self._news:
                self._number += 1
                self._frame = (
                    self._scene.pop(0)
                    if self._scene
                    else self._empty[self._number % len(self._empty)]
                )
                self._news.notify_all()

    def _next(self, seen: int) -> tuple[int, bytes]:
        with self._news:
            self._news.wait_for(lambda: self._number > seen or self._stopping.is_set(), 1.0)
            return self._number, self._frame

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
                self.end_headers()
                number = -1
                try:
                    while not feed._stopping.is_set():
                        number, frame = feed._next(number)
                        self.wfile.write(
                            f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                            f"Content-Length: {len(frame)}\r\n\r\n".encode()
                        )
                        self.wfile.write(frame + b"\r\n")
                except OSError:
                    return  # the door hung up

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Stay silent: the demo's own lines matter."""

        return Handler
