"""One interface for what can stand for a camera.

`grab` waits for the next picture, `retrieve` decodes it: an idle door grabs them all, so that
none is stale, and decodes few.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from door_terminal.errors import CameraLost

Image = NDArray[np.uint8]
"""(H, W, 3) uint8, BGR."""

NETWORK_TIMEOUT_MS: Final = 5_000
"""A camera on the estate's own network that says nothing for this long is gone."""
_MJPG: Final = cv2.VideoWriter.fourcc(*"MJPG")
_UNDECODED: Final = -1  # as CAP_PROP_FORMAT
_LEAST_EIGHTH: Final = (
    640  # pixels of width from which an eighth still shows whether anything moves
)
_FALLBACK_RATE: Final = 25.0  # frames a second of a file that does not say
_IMAGES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_STREAMS: Final = ("rtsp://", "rtsps://", "http://", "https://")


class Source(Protocol):
    """Something that delivers pictures. Both calls raise `CameraLost`."""

    def grab(self) -> None:
        """Wait for the next picture."""
        ...

    def retrieve(self) -> Image:
        """Decode the picture last grabbed."""
        ...

    def glance(self) -> Image | None:
        """Decode it small and grey, (H, W) uint8, to see whether anything moves.

        None where that would save nothing.
        """
        ...

    def close(self) -> None:
        """Let the device go."""
        ...


class _Pace:
    """Keeps a recording at its own speed."""

    def __init__(self, rate: float, sleep: Callable[[float], None]) -> None:
        self._period = 1.0 / rate
        self._sleep = sleep
        self._due: float | None = None

    def wait(self) -> None:
        now = time.monotonic()
        if self._due is None:
            self._due = now
        elif self._due > now:
            self._sleep(self._due - now)
        self._due += self._period


class _Captured:
    """A device or stream behind OpenCV; `pace` only for recordings."""

    def __init__(
        self, capture: cv2.VideoCapture, *, pace: _Pace | None = None, loop: bool = False
    ) -> None:
        self._capture = capture
        self._pace = pace
        self._loop = loop

    def grab(self) -> None:
        if self._pace is not None:
            self._pace.wait()
        if self._capture.grab():
            return
        if self._pace is None:
            raise CameraLost("the camera stopped sending", code="camera-silent")
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
        if not self._loop or not self._capture.grab():
            raise CameraLost("the recording has ended", code="camera-ended")

    def retrieve(self) -> Image:
        fine, image = self._capture.retrieve()
        if not fine:
            raise CameraLost("a picture could not be decoded", code="camera-silent")
        return np.asarray(image, np.uint8)

    def glance(self) -> Image | None:
        return None

    def close(self) -> None:
        self._capture.release()


class _Folder:
    """The images of a folder, in name order, at a given rate."""

    def __init__(self, folder: Path, *, pace: _Pace, loop: bool) -> None:
        self._files = sorted(one for one in folder.iterdir() if one.suffix.lower() in _IMAGES)
        if not self._files:
            raise CameraLost("the folder holds no images", code="camera-absent")
        self._pace = pace
        self._loop = loop
        self._next = 0

    def grab(self) -> None:
        self._pace.wait()
        if self._next >= len(self._files):
            if not self._loop:
                raise CameraLost("the folder has been shown", code="camera-ended")
            self._next = 0
        self._next += 1

    def retrieve(self) -> Image:
        image = cv2.imread(str(self._files[self._next - 1]), cv2.IMREAD_COLOR)
        if image is None:
            raise CameraLost("an image in the folder cannot be read", code="camera-silent")
        return np.asarray(image, np.uint8)

    def glance(self) -> Image | None:
        return None

    def close(self) -> None:
        self._files = []


class _MotionJpeg(_Captured):
    """A stream of JPEGs: `grab` takes one as it comes, and only `retrieve` decodes.

    OpenCV would decode each in `grab` already, which is most of what an idle door does.
    """

    @staticmethod
    def fits(capture: cv2.VideoCapture) -> bool:
        """Say whether this stream delivers JPEGs undecoded; if so, it does from now on."""
        return int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG and capture.set(
            cv2.CAP_PROP_FORMAT, _UNDECODED
        )

    def retrieve(self) -> Image:
        return self._decoded(cv2.IMREAD_COLOR)

    def glance(self) -> Image | None:
        # To an eighth of each side a JPEG decodes from one coefficient of each block, its mean.
        width = self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        large = width >= _LEAST_EIGHTH
        how = cv2.IMREAD_REDUCED_GRAYSCALE_8 if large else cv2.IMREAD_REDUCED_GRAYSCALE_2
        return self._decoded(how)

    def _decoded(self, how: int) -> Image:
        fine, data = self._capture.retrieve()
        image = cv2.imdecode(np.asarray(data, np.uint8), how) if fine else None
        if image is None:
            raise CameraLost("a picture could not be decoded", code="camera-silent")
        return np.asarray(image, np.uint8)


def open_source(
    camera: str,
    *,
    loop: bool = False,
    rate: float = 10.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Source:
    """Open what `camera` names: an index, a stream's address, a video file or a folder.

    Args:
        camera: `0`, `rtsp://…`, `http://…`, or a path.
        loop: Play a recording again from its start.
        rate: Images a second from a folder.
        sleep: Waits between the pictures of a recording.

    Raises:
        CameraLost: it cannot be opened now.
    """
    if camera.isdecimal():
        return _Captured(_opened(cv2.VideoCapture(int(camera))))
    if camera.startswith(_STREAMS):
        timeouts = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            NETWORK_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            NETWORK_TIMEOUT_MS,
        ]
        stream = _opened(cv2.VideoCapture(camera, cv2.CAP_FFMPEG, timeouts))
        return _MotionJpeg(stream) if _MotionJpeg.fits(stream) else _Captured(stream)
    path = Path(camera)
    if path.is_dir():
        return _Folder(path, pace=_Pace(rate, sleep), loop=loop)
    if not path.exists():
        raise CameraLost("there is no such recording", code="camera-absent")
    capture = _opened(cv2.VideoCapture(camera))
    stated = capture.get(cv2.CAP_PROP_FPS)
    pace = _Pace(stated if 0 < stated <= 240 else _FALLBACK_RATE, sleep)  # noqa: PLR2004 - beyond any camera
    return _Captured(capture, pace=pace, loop=loop)


def _opened(capture: cv2.VideoCapture) -> cv2.VideoCapture:
    if not capture.isOpened():
        raise CameraLost("the camera does not answer", code="camera-absent")
    return capture
