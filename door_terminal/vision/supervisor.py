"""The controller's hold on the vision process: starts it, listens to it, starts it again.

A process that says nothing for some seconds is killed: a driver or codec may hang in a way that
even its own watchdog does not survive.
"""

import asyncio
import concurrent.futures
import logging
import socket
import sys
import time
from collections.abc import Callable
from typing import Final

from door_terminal.camera.reader import retry_delay
from door_terminal.errors import ChannelBroken, RecognitionFailed
from door_terminal.settings import Settings
from door_terminal.vision.messages import (
    HUNG,
    LENGTH_SIZE,
    Answer,
    Encode,
    Encoded,
    FromController,
    FromVision,
    Heartbeat,
    PassSeen,
    Ready,
    Sighting,
    Unable,
    Unclear,
    Watch,
    body_length,
    frame,
    from_vision,
)
from door_terminal.vision.pack_choice import FALLBACK, STEADY_S, PackChoice

_log = logging.getLogger(__name__)

START_S: Final = 60.0
"""Loading and timing the models on the weakest board."""
SILENCE_S: Final = 6.0
"""Several heartbeats: the longest a busy board stays away between two."""
ENCODE_S: Final = 5.0
"""How long a sighting waits for vision to encode it after all."""

VISION_DOWN: Final = "vision-down"
VISION_STARTING: Final = "vision-starting"
VISION_UP: Final = ""


class VisionSupervisor:
    """Runs vision for ever. All on one event loop, but for `encode` and `rewatch`."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Callable[[], Watch | None],
        found: Callable[[Sighting | Unclear], None],
        read: Callable[[PassSeen], None],
        saw: Callable[[int], None],
        packs: PackChoice,
    ) -> None:
        """Take where to learn what to look for, and whom to tell of what was seen.

        `found` is told of sightings, `read` of codes, `saw` of how many faces were near at once.
        `packs` says which models to load.
        """
        self._settings = settings
        self._watch = watch
        self._found = found
        self._read = read
        self._saw = saw
        self.packs = packs
        self.pack = ""
        """The pack that vision was last started with."""
        self._ready_at = 0.0
        self._changing = False
        self._writer: asyncio.StreamWriter | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._encodings: dict[str, concurrent.futures.Future[bytes]] = {}
        self.process: asyncio.subprocess.Process | None = None
        self.ready: Ready | None = None
        self.heartbeat: Heartbeat | None = None
        self.starts = 0
        self._unable = ""
        self._reason = ""  # why the last process could not work, if it said so, ...
        self._status = 0  # ... and with what it ended

    @property
    def state(self) -> str:
        """Empty while vision works, else a code: its own reason if it gave one, when it ended."""
        if self.ready is not None and self._writer is not None:
            return VISION_UP
        if self._unable:
            return self._unable
        return VISION_STARTING if self.process is not None else VISION_DOWN

    @property
    def camera(self) -> str:
        """The camera's state as vision last told it; empty while pictures come."""
        state = self.state
        if state not in {VISION_UP, VISION_STARTING}:
            return state
        if state == VISION_STARTING or self.heartbeat is None:
            return "camera-connecting"
        return self.heartbeat.camera

    @property
    def fallback(self) -> str:
        """Empty, or the code that says that another pack runs than the estate's."""
        return FALLBACK if self.ready is not None and self.pack != self.packs.wanted else ""

    @property
    def liveness(self) -> str:
        """Empty, or the code of what keeps faces from being told from pictures."""
        return self.heartbeat.liveness if self.heartbeat else ""

    async def run(self) -> None:
        """Keep vision running until cancelled."""
        self._loop = asyncio.get_running_loop()
        failures = 0
        while True:
            try:
                await self._one_life()
            except (ChannelBroken, TimeoutError, OSError) as error:
                _log.warning("vision ended: %s", str(error) or "it said nothing any more")
            self._judge_pack()
            failures = 1 if self.heartbeat is not None else failures + 1
            self.heartbeat = None
            await asyncio.sleep(retry_delay(failures))

    def rewatch(self) -> None:
        """Tell vision what to look for now; from any thread."""
        watch = self._watch()
        if watch is not None:
            self._tell(watch)

    def answer(self, answer: Answer) -> None:
        """Tell vision what came of a probe; from any thread."""
        self._tell(answer)

    def encode(self, sighting: str, crops: tuple[bytes, ...]) -> bytes:
        """Have vision encode crops; from a worker thread.

        Raises:
            RecognitionFailed: vision is not there, or does not answer in time (`vision-down`).
        """
        answer: concurrent.futures.Future[bytes] = concurrent.futures.Future()
        self._encodings[sighting] = answer
        try:
            self._tell(Encode(sighting, crops))
            return answer.result(ENCODE_S)
        except TimeoutError as error:
            raise RecognitionFailed("vision does not encode", code=VISION_DOWN) from error
        finally:
            self._encodings.pop(sighting, None)

    def _judge_pack(self) -> None:
        """Note a pack that was not ready in time, said that it cannot work, or died early."""
        if self._changing:
            return
        early = self.ready is None or time.monotonic() - self._ready_at < STEADY_S
        if early and self._status != HUNG:  # a camera's driver says nothing of a pack
            self.packs.failed(self.pack, self._reason)

    def _change_pack(self) -> None:
        """End vision where another pack is to run; it is started anew with that one."""
        if self.ready is not None and time.monotonic() - self._ready_at >= STEADY_S:
            self.packs.came_up(self.pack)
        if self.packs.next() != self.pack and self.process is not None:
            _log.info("pack=%s next=%s", self.pack, self.packs.next())
            self._changing = True
            self.process.kill()

    async def _one_life(self) -> None:
        self.ready, self._changing, self._reason = None, False, ""
        self.pack = self.packs.next()
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "door_terminal.vision",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for the controller, which ends vision itself
            )
        self.starts += 1
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            settings = self._settings.model_copy(update={"model_pack": self.pack})
            body = settings.model_dump_json().encode()
            writer.write(len(body).to_bytes(LENGTH_SIZE, "big") + body)
            self._writer = writer
            while True:
                self._take(await self._next(reader))
        finally:
            self._writer = None
            writer.close()
            await self._end(self.process)
            self.process = None

    async def _next(self, reader: asyncio.StreamReader) -> FromVision:
        async with asyncio.timeout(START_S if self.ready is None else SILENCE_S):
            try:
                prefix = await reader.readexactly(LENGTH_SIZE)
                return from_vision(await reader.readexactly(body_length(prefix)))
            except asyncio.IncompleteReadError as error:
                raise ChannelBroken("vision went away") from error

    def _take(self, message: FromVision) -> None:
        match message:
            case Ready():
                self.ready, self._unable, self._ready_at = message, "", time.monotonic()
                _log.info(
                    "vision ready space=%s detect_ms=%.1f encode_ms=%.1f",
                    message.template_space,
                    message.detect_ms,
                    message.encode_ms,
                )
                self.rewatch()
            case Unable(code=code):
                self._unable = self._reason = code
            case Heartbeat():
                self.heartbeat = message
                self._saw(message.near)
                self._change_pack()
            case Sighting() | Unclear():
                self._found(message)
            case PassSeen():
                self._read(message)
            case Encoded(sighting=sighting, probe=probe):
                waiting = self._encodings.get(sighting)
                if waiting is not None and not waiting.done():
                    waiting.set_result(probe)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.kill()
        self._status = await process.wait()
        _log.info("vision process ended status=%s", process.returncode)

    def _tell(self, message: FromController) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._write, frame(message))

    def _write(self, data: bytes) -> None:
        if self._writer is not None and self.ready is not None:
            self._writer.write(data)
