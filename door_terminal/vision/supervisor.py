"""The controller's hold on the vision process: starts it, listens to it, starts it again.

A process that says nothing for some seconds is killed: a driver or codec may hang in a way that
even its own watchdog does not survive. It ends by itself when it hears nothing from here: a loop
that is frozen beats no more.
"""

import asyncio
import concurrent.futures
import contextlib
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
    BEAT_S,
    HUNG,
    LENGTH_SIZE,
    REHEARSE,
    Answer,
    Beat,
    Encode,
    Encoded,
    FromController,
    FromVision,
    Heartbeat,
    PassSeen,
    Preview,
    Ready,
    Show,
    Sighting,
    Unable,
    Unclear,
    Watch,
    body_length,
    frame,
    from_vision,
)
from door_terminal.vision.trial import PACK_UNHEALTHY, Plan, Trial

_log = logging.getLogger(__name__)

START_S: Final = 60.0
"""Loading and timing the models on the weakest board."""
SILENCE_S: Final = 6.0
"""Several heartbeats: the longest a busy board stays away between two."""
RECHECK_S: Final = 300.0
"""How often a pack that somebody has to bring is looked for."""
ENCODE_S: Final = 5.0
"""How long a sighting waits for vision to encode it after all."""

VISION_DOWN: Final = "vision-down"
VISION_STARTING: Final = "vision-starting"
VISION_UP: Final = ""


class VisionSupervisor:
    """Runs vision for ever.

    All on one event loop, but for `want`, `answer`, `show` and `encode`.
    """

    def __init__(
        self,
        settings: Settings,
        trial: Trial,
        *,
        watch: Callable[[], Watch | None],
        found: Callable[[Sighting | Unclear], None],
        read: Callable[[PassSeen], None],
        saw: Callable[[int], None],
        showed: Callable[[Preview], None],
    ) -> None:
        """Take what to run, where to learn what to look for, and whom to tell of what was seen.

        `found` is told of sightings, `read` of codes, `saw` of how many faces were near at once,
        `showed` of live pictures.
        """
        self._settings = settings
        self.trial = trial
        self._running = ""
        self._ready_at = 0.0
        self._refused = self._switching = self._hung = False
        self._news = asyncio.Event()
        self._watch = watch
        self._found = found
        self._read = read
        self._saw = saw
        self._showed = showed
        self._writer: asyncio.StreamWriter | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._encodings: dict[str, concurrent.futures.Future[bytes]] = {}
        self.process: asyncio.subprocess.Process | None = None
        self.ready: Ready | None = None
        self.heartbeat: Heartbeat | None = None
        self.starts = 0
        self._unable = ""

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
    def liveness(self) -> str:
        """Empty, or the code of what keeps faces from being told from pictures."""
        return self.heartbeat.liveness if self.heartbeat else ""

    @property
    def pack(self) -> str:
        """The model pack that vision runs; empty while it does not."""
        return self._running if self.state == VISION_UP else ""

    async def run(self) -> None:
        """Keep vision running until cancelled."""
        self._loop = asyncio.get_running_loop()
        following = asyncio.create_task(self._follow_packs())
        try:
            await self._live()
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    async def _live(self) -> None:
        failures = 0
        while True:
            try:
                await self._one_life()
            except (ChannelBroken, TimeoutError, OSError) as error:
                _log.warning("vision ended: %s", str(error) or "it said nothing any more")
                self._judge(error)
            failures = 1 if self.heartbeat is not None else failures + 1
            self.heartbeat = None
            await asyncio.sleep(0 if self._switching else retry_delay(failures))

    def _judge(self, error: Exception) -> None:
        """Hold the end of a life against what it ran with, unless something else ended it."""
        if self._switching or self._refused or self._hung:
            return
        if isinstance(error, TimeoutError) and self.ready is None:
            self._refuse("")
        else:
            before = self.trial.plan
            self.trial.died()
            self._tell_of_change(before)

    def _refuse(self, code: str) -> None:
        before = self.trial.plan
        self.trial.refuse(code)
        self._tell_of_change(before)

    def _tell_of_change(self, before: Plan) -> None:
        if self.trial.plan != before:
            self._refused, self._unable = True, ""
            _log.error(
                "vision goes back code=%s pack=%s to=%s",
                self.trial.problem,
                before.pack,
                self.trial.plan.pack,
            )

    def want(self, plan: Plan) -> None:
        """Take what the server wants vision to run with; from any thread."""
        if self._loop is None:  # nothing runs yet
            self.trial.want(plan)
        else:
            self._loop.call_soon_threadsafe(self._want, plan)

    def _want(self, plan: Plan) -> None:
        if plan != self.trial.wanted:
            self.trial.want(plan, self._running)
            self._news.set()
        self.rewatch()

    async def _follow_packs(self) -> None:
        """Change to the wanted pack once it has been loaded beside the one that works."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), RECHECK_S)
            due = self._news.is_set() or self.trial.mendable
            self._news.clear()
            wanted = self.trial.wanted
            pending = not self.trial.problem or self.trial.mendable
            if not (due and pending) or self.ready is None or wanted.pack == self._running:
                continue
            code = await self._rehearse(wanted.pack)
            if wanted != self.trial.wanted:
                continue  # a newer one came meanwhile, with news of its own
            if code:
                _log.error("the estate's models cannot be used pack=%s code=%s", wanted.pack, code)
                self.trial.rehearsed_badly(code)
            elif self.process is not None and self.process.returncode is None:
                self.trial.take_up()
                self._switching = True
                self.process.kill()

    async def _rehearse(self, pack: str) -> str:
        """Return what keeps a pack from being used here; empty for nothing."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "door_terminal.vision", REHEARSE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(START_S):
                said, _ = await process.communicate(self._settings_for(pack))
        except TimeoutError:
            return PACK_UNHEALTHY
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return said.decode("ascii", "replace") or (PACK_UNHEALTHY if process.returncode else "")

    def _settings_for(self, pack: str) -> bytes:
        chosen = self._settings.model_copy(update={"model_pack": pack})
        return chosen.model_dump_json().encode()

    def rewatch(self) -> None:
        """Tell vision what to look for now."""
        watch = self._watch()
        if watch is not None:
            self._tell(watch)

    def answer(self, answer: Answer) -> None:
        """Tell vision what came of a probe; from any thread."""
        self._tell(answer)

    def show(self, order: Show) -> None:
        """Have vision send live pictures; from any thread."""
        self._tell(order)

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

    async def _one_life(self) -> None:
        self.ready = None
        self._refused = self._switching = self._hung = False
        plan = self.trial.plan
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
        self._running = plan.pack
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        beating = asyncio.create_task(_beat(writer))
        try:
            body = self._settings_for(plan.pack)
            writer.write(len(body).to_bytes(LENGTH_SIZE, "big") + body)
            self._writer = writer
            while True:
                self._take(await self._next(reader))
        finally:
            self._writer = None
            beating.cancel()
            writer.close()
            await self._end(self.process)
            self._hung = self.process.returncode == HUNG
            self.process, self._running = None, ""

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
                self.ready, self._unable = message, ""
                self._ready_at = time.monotonic()
                self._news.set()
                _log.info(
                    "vision ready space=%s detect_ms=%.1f encode_ms=%.1f",
                    message.template_space,
                    message.detect_ms,
                    message.encode_ms,
                )
                self.rewatch()
            case Unable(code=code):
                self._unable = code
                self._refuse(code)
            case Heartbeat():
                self.heartbeat = message
                self.trial.works(self._ready_at)
                self._saw(message.near)
            case Sighting() | Unclear():
                self._found(message)
            case PassSeen():
                self._read(message)
            case Preview():
                self._showed(message)
            case Encoded(sighting=sighting, probe=probe):
                waiting = self._encodings.get(sighting)
                if waiting is not None and not waiting.done():
                    waiting.set_result(probe)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            process.kill()
        await process.wait()
        _log.info("vision process ended status=%s", process.returncode)

    def _tell(self, message: FromController) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._write, frame(message))

    def _write(self, data: bytes) -> None:
        if self._writer is not None and self.ready is not None:
            self._writer.write(data)


async def _beat(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        writer.write(frame(Beat()))
