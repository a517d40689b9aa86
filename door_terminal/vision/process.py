"""The vision process: reads the camera, looks, tells the controller; ends when that is gone.

It is expendable. A driver that hangs or a codec that crashes takes this process with it; the
controller starts another and goes on meanwhile.
"""

import logging
import os
import queue
import socket
import time
from functools import partial
from threading import Thread
from typing import Final

import cv2

from door_terminal.camera.reader import CameraReader, Frame
from door_terminal.camera.sources import open_source
from door_terminal.errors import ChannelBroken
from door_terminal.probe import Speed, measure
from door_terminal.settings import Settings
from door_terminal.vision.messages import (
    BEAT_S,
    HUNG,
    LENGTH_SIZE,
    Answer,
    Beat,
    Encode,
    Encoded,
    FromController,
    FromVision,
    Heartbeat,
    Preview,
    Ready,
    Show,
    Watch,
    body_length,
    frame,
    from_controller,
)
from door_terminal.vision.preview import RESTING_S, Previewer
from door_terminal.vision.watcher import Watcher
from face_engine.liveness.passive import load_passive
from face_engine.models import FacePack, load_pack
from face_engine.models.registry import LIVENESS_PACKS

_log = logging.getLogger(__name__)

CONTROLLER_SILENCE_S: Final = 10.0
"""A controller that says nothing for so long, or takes nothing, is dead or frozen: nobody would act
on what vision sees, and the camera is to be free for the next one."""
IDLE_INTERVAL_S: Final = 0.2
"""Five pictures a second are enough to notice that somebody comes."""
_AFTER_OTHERS: Final = 10  # of `nice`: the vision process that works goes first


class _Channel:
    """This process's end of the pair of sockets."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(CONTROLLER_SILENCE_S)
        self._connection = connection
        self._file = connection.makefile("rb")
        self.orders: queue.SimpleQueue[FromController | None] = queue.SimpleQueue()
        Thread(target=self._receive, name="orders", daemon=True).start()

    def send(self, message: FromVision) -> None:
        try:
            self._connection.sendall(frame(message))
        except OSError as error:
            raise ChannelBroken("the controller is gone, or frozen") from error

    def _receive(self) -> None:
        """Queue the controller's orders; None when there will be no more."""
        try:
            while prefix := self._file.read(LENGTH_SIZE):
                self.orders.put(from_controller(self._file.read(body_length(prefix))))
        except (ChannelBroken, OSError) as error:
            _log.warning("vision lost its controller: %s", error)
        self.orders.put(None)


def run(settings: Settings, connection: socket.socket) -> None:
    """Look until the controller goes away.

    Args:
        settings: The terminal's.
        connection: This end of the socket pair.

    Raises:
        FaceEngineError: the models cannot be loaded.
    """
    channel = _Channel(connection)
    pack, speed = _load(settings)
    channel.send(Ready(pack.template_space, speed.detect_ms, speed.encode_ms))
    reader = CameraReader(
        lambda sleep: open_source(
            settings.camera, loop=settings.camera_loop, rate=settings.camera_rate, sleep=sleep
        )
    )
    reader.start()
    try:
        passive = partial(
            load_passive,
            settings.models,
            pack=LIVENESS_PACKS[settings.liveness_pack],
            threads=settings.threads,
        )
        watcher = Watcher(pack, passive)
        _look(channel, reader, watcher, settings.camera_hang_s)
    except ChannelBroken:
        _log.info("vision ends with its controller")
    finally:
        reader.stop()


def rehearse(settings: Settings) -> None:
    """Load the models and run them once, in a process that nobody waits for.

    Raises:
        FaceEngineError: the models cannot be loaded.
    """
    os.nice(_AFTER_OTHERS)
    _load(settings)


def _load(settings: Settings) -> tuple[FacePack, Speed]:
    cv2.setNumThreads(settings.threads)
    pack = load_pack(
        settings.model_pack,
        settings.models,
        threads=settings.threads,
        runtime=settings.model_runtime,
    )
    return pack, measure(pack.detector, pack.encoder)


def _look(channel: _Channel, reader: CameraReader, watcher: Watcher, hang_s: float) -> None:
    frames = 0
    next_heartbeat = 0.0
    previewer = Previewer()
    while True:
        if not _obey(channel, watcher, previewer):
            return
        reader.glances = not watcher.watching
        least = watcher.least_interval_s
        reader.interval_s = max(least, IDLE_INTERVAL_S) if reader.glances else least
        reader.still_s = RESTING_S if previewer.resting else 0.0
        picture = reader.next_frame(IDLE_INTERVAL_S)
        if picture is not None:
            frames += 1
            for seen in watcher.read_passes(picture):
                channel.send(seen)
            for found in watcher.look(picture):
                channel.send(found)
            _show(channel, picture, watcher, previewer)
        if reader.stuck_for() > hang_s:
            _log.error("camera driver hangs seconds=%.0f", reader.stuck_for())
            # The thread inside the driver cannot be ended in any gentler way.
            os._exit(HUNG)
        if time.monotonic() >= next_heartbeat:
            next_heartbeat = time.monotonic() + BEAT_S
            channel.send(
                Heartbeat(
                    reader.state or watcher.blind,
                    frames,
                    watcher.detections,
                    watcher.faces,
                    watcher.watching,
                    watcher.liveness.problem,
                    watcher.most_near(),
                )
            )


def _show(channel: _Channel, picture: Frame, watcher: Watcher, previewer: Previewer) -> None:
    """Send what the camera sees to whoever wants to see it now."""
    whole = picture.whole
    if whole is not None and previewer.due(watching=watcher.watching):
        boxes = watcher.boxes(whole)
        channel.send(Preview(previewer.make(whole), picture.captured_ns, watcher.watching, boxes))


def _obey(channel: _Channel, watcher: Watcher, previewer: Previewer) -> bool:
    """Carry out waiting orders; say whether there may be more."""
    while not channel.orders.empty():
        match channel.orders.get():
            case Watch() as watch:
                watcher.watch(watch)
            case Beat():
                pass  # the channel has noticed it
            case Show() as order:
                previewer.show(order)
            case Encode(sighting=sighting, crops=crops):
                channel.send(Encoded(sighting, watcher.encode(crops)))
            case Answer() as answer:
                watcher.answered(answer)
            case None:
                return False
    return True
