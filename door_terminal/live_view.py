"""The camera's newest picture, for the unit's own screen and for the desk while somebody rings.

In memory alone, one at a time: the picture of now, never of who passed before.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from door_terminal.vision.messages import Advice, FaceBox, Preview, Show

FRESH_S: Final = 2.0
"""An older picture is let go of: whoever it shows may have left."""
LEASE_S: Final = 3.0
"""For so long vision sends pictures after anybody asked for one."""
RENEW_S: Final = 1.0
"""Asking more often than this tells vision nothing new."""
MARK_S: Final = 8.0
"""How long a face keeps the mark of what was decided about it; the message stands as long."""
_MOST_MARKS: Final = 32


class Mark(StrEnum):
    """What was decided about a face."""

    GRANTED = "granted"
    SECOND = "second"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class View:
    """One live picture, as a JPEG that is not mirrored, and its number, which changes with each."""

    number: int
    preview: Preview


class LiveView:
    """Keeps the newest picture.

    `take`, `after` and `tidy` on the controller's loop, the rest on any thread.
    """

    def __init__(
        self, show: Callable[[Show], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take how vision is asked for pictures, and seconds of the monotonic clock."""
        self._show = show
        self._clock = clock
        self._view: View | None = None
        self._asked = {False: float("-inf"), True: float("-inf")}
        self._number = 0
        self._marks: dict[int, tuple[Mark, float]] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    def want(self, *, resting: bool = False) -> None:
        """Have pictures made for the next `LEASE_S`; with `resting` also while nothing moves."""
        now = self._clock()
        if now - self._asked[resting] >= RENEW_S:
            self._asked[resting] = now
            self._show(Show(LEASE_S, resting))

    def take(self, preview: Preview) -> None:
        """Take vision's newest picture in place of the one before."""
        self._number += 1
        self._view = View(self._number, preview)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def newest(self) -> View | None:
        """Return the picture of now; None when there is none."""
        view = self._view
        return view if view is not None and self._fresh(view) else None

    async def after(self, number: int, patience_s: float) -> View | None:
        """Wait for a picture other than `number`; None when none comes in time."""
        view = self.newest()
        if view is not None and view.number != number:
            return view
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait_for(waiting, patience_s)
        except TimeoutError:
            return None
        finally:
            self._waiting.discard(waiting)
        return self.newest()

    def tidy(self) -> None:
        """Let go of a picture that is of now no more."""
        if self.newest() is None:
            self._view = None

    def mark(self, track: int, mark: Mark) -> None:
        """Note what was decided about a face."""
        self._marks.pop(track, None)
        self._marks[track] = mark, self._clock() + MARK_S
        while len(self._marks) > _MOST_MARKS:
            self._marks.pop(next(iter(self._marks)), None)

    def state(self, face: FaceBox) -> str:
        """Return what to say at a face: an `Advice`, or a `Mark` once it was decided about."""
        if face.advice is not Advice.DONE:
            return face.advice
        mark, until = self._marks.get(face.track, (None, 0.0))
        return mark if mark is not None and self._clock() < until else Advice.DONE

    def _fresh(self, view: View) -> bool:
        return self._clock() - view.preview.captured_ns / 1e9 <= FRESH_S
