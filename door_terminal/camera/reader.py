"""A thread that keeps the newest picture at hand and looks for a lost camera.

Decoding and detection may be slow; the newest picture always replaces one that nobody took, so
that a decision is never about where somebody stood a while ago.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Event, Thread
from typing import Final

from door_terminal.camera.sources import Image, Source
from door_terminal.errors import CameraLost

_log = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 10.0
"""A camera that was plugged in again is seen within this time."""

_PUNCTUAL: Final = 0.9
# A camera as fast as it is looked at is now and then a little early, and no picture is to be lost
# by that.

CONNECTING: Final = "camera-connecting"
CONNECTED: Final = ""
"""The state's code while pictures come: nothing to report."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        captured_ns: `time.monotonic_ns()` when the driver delivered it.
        number: Counts the pictures delivered, also those that nobody took.
        glance: `image` is a small one, good for seeing whether anything moves.
        still: The whole picture, where `image` is a glance and somebody wants to see it.
    """

    image: Image
    captured_ns: int
    number: int
    glance: bool = False
    still: Image | None = None

    @property
    def whole(self) -> Image | None:
        """The whole picture, if it was decoded."""
        return self.still if self.glance else self.image


def retry_delay(failures: int) -> float:
    """Return seconds to wait after so many failures in a row, 0.5 doubling up to 10."""
    return float(min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(failures - 1, 10)))


class CameraReader:
    """Reads one camera for ever; use `start` and `stop`."""

    def __init__(self, open_camera: Callable[[Callable[[float], None]], Source]) -> None:
        """Take what opens the camera, given a way to sleep that `stop` interrupts."""
        self._open_camera = open_camera
        self._stopping = Event()
        self._news = Condition()
        self._frame: Frame | None = None
        self._number = 0
        self._busy_since: float | None = None
        self._last_decoded_ns: int | None = None
        self._thread = Thread(target=self._run, name="camera", daemon=True)
        self.state = CONNECTING
        self.interval_s = 0.0
        """Pictures closer together than this are not decoded."""
        self.glances = False
        """Whether a glance is enough, where that saves anything."""
        self.still_s = 0.0
        """Unless 0, glances this far apart come with their whole picture."""
        self._last_still_ns = 0

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; returns once the camera is closed, or after a second if it hangs."""
        self._stopping.set()
        self._thread.join(timeout=1.0)

    def next_frame(self, timeout_s: float) -> Frame | None:
        """Return the newest picture not yet taken, or None when none came in time."""
        with self._news:
            self._news.wait_for(lambda: self._frame is not None, timeout_s)
            frame, self._frame = self._frame, None
            return frame

    def stuck_for(self) -> float:
        """Return seconds that the driver has kept one call; 0 when it is not in a call."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with self._in_driver():
                    source = self._open_camera(self._sleep)
                try:
                    for frame in self._frames(source):
                        failures = 0
                        self._deliver(frame)
                finally:
                    source.close()
            except CameraLost as lost:
                failures += 1
                self._report(lost.code)
                if lost.code == "camera-ended":
                    return
                self._stopping.wait(retry_delay(failures))

    def _frames(self, source: Source) -> Iterator[Frame]:
        while not self._stopping.is_set():
            with self._in_driver():
                source.grab()
            captured = time.monotonic_ns()
            self._number += 1
            last = self._last_decoded_ns
            least = self.interval_s if self.glances else self.interval_s * _PUNCTUAL
            if last is not None and captured - last < least * 1e9:
                continue
            self._last_decoded_ns = captured
            with self._in_driver():
                small = source.glance() if self.glances else None
                wanted = small is None or self._still_due(captured)
                whole = source.retrieve() if wanted else None
            self._report(CONNECTED)
            if small is not None:
                yield Frame(small, captured, self._number, glance=True, still=whole)
            elif whole is not None:
                yield Frame(whole, captured, self._number)

    def _still_due(self, captured: int) -> bool:
        due = self.still_s > 0 and captured - self._last_still_ns >= self.still_s * 1e9
        if due:
            self._last_still_ns = captured
        return due

    def _deliver(self, frame: Frame) -> None:
        with self._news:
            self._frame = frame
            self._news.notify()

    def _sleep(self, seconds: float) -> None:
        # Waiting for a recording's next picture is not the driver's fault.
        self._busy_since = None
        self._stopping.wait(seconds)
        self._busy_since = time.monotonic()

    @contextmanager
    def _in_driver(self) -> Iterator[None]:
        self._busy_since = time.monotonic()
        try:
            yield
        finally:
            self._busy_since = None

    def _report(self, state: str) -> None:
        if state != self.state:
            _log.info("camera state=%s", state or "connected")
            self.state = state
