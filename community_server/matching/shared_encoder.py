"""One encoder for many doors: those who come while it works share its next run.

Nobody waits for company. Whoever finds the encoder idle runs at once with all that has queued;
whoever finds it at work queues, and the first of the queue runs next.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from face_engine.faces import Encoder, Image, Vectors
from tier_link.errors import DeadlinePassed, RequestRefused

_log = logging.getLogger(__name__)

MOST_CROPS: Final = 8
"""Crops of one run. On CPUs a face costs least in runs of two to eight, and more in longer ones,
whose working memory leaves the caches; accelerators have gained most of what they can by then."""
MOST_WAITING: Final = 64
"""Requests in the queue: more could not be answered within a door's deadline anyway."""


@dataclass(eq=False)
class _Request:
    """One door's crops on their way to vectors; `called` when settled, or when it is to run."""

    crops: Image = field(repr=False)
    deadline: float
    vectors: Future[Vectors] = field(default_factory=Future)
    called: threading.Event = field(default_factory=threading.Event)

    def settle(self, outcome: Vectors | Exception) -> None:
        if isinstance(outcome, Exception):
            self.vectors.set_exception(outcome)
        else:
            self.vectors.set_result(outcome)
        self.called.set()


class SharedEncoder:
    """Encodes for any number of threads, one run at a time.

    Args:
        encoder: what does the work.
        most_crops: of one run; a request with more runs alone.
        most_waiting: requests in the queue.
        clock: monotonic seconds, as deadlines are given.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        most_crops: int = MOST_CROPS,
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._encoder = encoder
        self._most_crops = most_crops
        self._most_waiting = most_waiting
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[_Request] = deque()
        self._busy = False

    def encode(self, crops: Image, deadline: float) -> Vectors:
        """(N, 112, 112, 3) uint8 BGR crops, N at least 1, to (N, d) float32 of unit length.

        Raises:
            RequestRefused: `busy`, the queue is full.
            DeadlinePassed: it was not this request's turn before `deadline`.
            Exception: whatever the encoder raises for these crops alone.
        """
        mine = _Request(crops, deadline)
        with self._lock:
            if len(self._queue) >= self._most_waiting:
                raise RequestRefused("too many faces wait for the encoder", code="busy")
            self._queue.append(mine)
            idle, self._busy = not self._busy, True
        if not idle:
            mine.called.wait()
        if not mine.vectors.done():
            try:
                self._run(self._next())
            finally:
                self._hand_over()
        return mine.vectors.result()

    def _next(self) -> list[_Request]:
        """Take the next run's requests off the queue; late ones are settled, not taken."""
        batch: list[_Request] = []
        late: list[_Request] = []
        now, room = self._clock(), self._most_crops
        with self._lock:
            while self._queue and (not batch or len(self._queue[0].crops) <= room):
                request = self._queue.popleft()
                if now >= request.deadline:
                    late.append(request)
                else:
                    batch.append(request)
                    room -= len(request.crops)
        for request in late:
            request.settle(DeadlinePassed("the encoder was busy for too long"))
        return batch

    def _run(self, batch: list[_Request]) -> None:
        if not batch:
            return
        alone = len(batch) == 1
        try:
            crops = batch[0].crops if alone else np.concatenate([one.crops for one in batch])
            vectors = self._encoder.encode(crops)
        except Exception as problem:  # noqa: BLE001 -- raised where its request waits
            if alone:
                batch[0].settle(problem)
                return
            # One request's fault must not be the others': each for itself.
            _log.exception("encoding=failed requests=%d action=one-by-one", len(batch))
            for request in batch:
                self._run([request])
            return
        start = 0
        for request in batch:
            request.settle(vectors[start : start + len(request.crops)])
            start += len(request.crops)

    def _hand_over(self) -> None:
        """Let the first who waits run next."""
        with self._lock:
            self._busy = bool(self._queue)
            if self._queue:
                self._queue[0].called.set()
