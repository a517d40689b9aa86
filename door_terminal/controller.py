"""The controller process: everything of a door but the looking, on one event loop."""

import asyncio
import fcntl
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from access_rules.lockdown import Lockdown
from door_terminal.clock import SAVE_INTERVAL_S
from door_terminal.errors import StartRefused
from door_terminal.identity import load_pairing
from door_terminal.screen.server import ScreenServer
from door_terminal.service_manager import ALIVE, READY, STOPPING, ServiceManager
from door_terminal.settings import LOCK_FILE, Settings
from door_terminal.terminal import Terminal
from tier_kit.private_files import make_private_folder
from tier_kit.tracing import start_tracing, stop_tracing
from tier_link.channel import Dialer, pinned_tls
from tier_link.estate_messages import CallRinging

_log = logging.getLogger(__name__)

PRESENCE_S: Final = 5.0
"""How often the server hears how the door is; a changed roster is told within a second."""
SCORES_S: Final = 900.0
"""How often the server hears what recognition has learned: seldom, so that it tells of no one
sighting."""
STILL_S: Final = 0.7
"""Between two pictures of whoever rings."""
DRAIN_S: Final = 10.0
PRUNE_S: Final = 3600.0
CHECK_S: Final = 5.0
"""How often the terminal looks at its camera, disk and log."""
STUCK_S: Final = 30.0
"""A round of housekeeping that takes longer hangs: a database or disk that does not come back."""
_TICK_S: Final = 0.5
_PAUSE_AFTER_FAULT_S: Final = 1.0


@contextmanager
def the_only_one(folder: Path) -> Iterator[None]:
    """Hold the data folder against a second terminal.

    Raises:
        StartRefused: another one runs on it (`already-running`), or it cannot be written
            (`data-unusable`).
    """
    try:
        make_private_folder(folder)
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartRefused(
            f"{folder} cannot be written: {error.strerror}", code="data-unusable"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartRefused(
                f"another terminal runs on {folder}", code="already-running"
            ) from error
        yield
    finally:
        os.close(descriptor)


def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Run this door until it is told to stop (SIGTERM, SIGINT).

    Args:
        settings: How the terminal is set up.
        announce: Told the page's address once everything serves.

    Raises:
        StartRefused, SecretDamaged: it cannot start.
    """
    with the_only_one(settings.data):
        manager = ServiceManager.take_over()
        pairing = load_pairing(settings.data)
        start_tracing(settings.traces, "door", pairing.door)
        terminal = Terminal(settings, pairing)
        try:
            asyncio.run(_serve(terminal, announce, manager))
        finally:
            terminal.close()
            stop_tracing()


async def _serve(
    terminal: Terminal, announce: Callable[[str], None], manager: ServiceManager
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await asyncio.to_thread(terminal.entries.drain_reserve)
    pairing = terminal.pairing
    dialer = Dialer(
        pairing.link_url,
        pairing.identity,
        pairing.server,
        pairing.server_public,
        terminal.store,
        terminal.uplink,
        pinned_tls(pairing.ca_pem) if pairing.ca_pem else None,
        renew_lost_history=True,
        others=lambda: terminal.uplink.addresses.links,
    )
    terminal.sensors.start()
    if terminal.reader:
        terminal.reader.start()
    screen = ScreenServer(terminal)
    tasks = [
        asyncio.create_task(_for_ever("link", dialer.run)),
        asyncio.create_task(_for_ever("housekeeping", lambda: _housekeeping(terminal))),
        asyncio.create_task(_for_ever("calls", lambda: _calls(terminal))),
        asyncio.create_task(screen.run()),
        asyncio.create_task(_for_ever("watchdog", lambda: _stay_alive(terminal, manager))),
    ]
    if terminal.settings.camera:
        tasks.append(asyncio.create_task(_for_ever("vision", terminal.vision.run)))
    try:
        await screen.started()
        announce(screen.url)
        manager.tell(READY)
        await stopping.wait()
    finally:
        manager.tell(STOPPING)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Begin again whatever ends by a fault of ours: a door has nobody to restart half of it."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - logged; no fault may stop the rest of the door
            _log.exception("%s failed and begins again", name)
        await asyncio.sleep(_PAUSE_AFTER_FAULT_S)


async def _stay_alive(terminal: Terminal, manager: ServiceManager) -> None:
    """Tell systemd that the controller lives, for as long as it does.

    Said from the loop that serves the page and the link, and only while housekeeping, which asks
    the database, comes round. Not for vision: the controller restarts that by itself.
    """
    if manager.beat_s is None:
        return
    while True:
        if time.monotonic() - terminal.kept_at < STUCK_S:
            manager.tell(ALIVE)
        await asyncio.sleep(manager.beat_s)


async def _calls(terminal: Terminal) -> None:
    """Tell the server who rings, as often as the desk is to see them, and when nobody does."""
    told = False
    while True:
        if terminal.calls.ringing:
            await asyncio.to_thread(terminal.calls.tidy)
        rings = terminal.tell_call()
        if told and not rings:
            terminal.uplink.publish(CallRinging("", 0))
        told = rings
        await asyncio.sleep(STILL_S)


async def _housekeeping(terminal: Terminal) -> None:
    """Tell the server how the door is, store the clock, empty the reserve, forget the old."""
    due = {"presence": 0.0, "scores": 0.0, "clock": 0.0, "drain": 0.0, "prune": 0.0, "check": 0.0}
    told: tuple[int, Lockdown] | None = None
    linked = False
    while True:
        now = terminal.kept_at = time.monotonic()
        terminal.renewals.tidy()
        terminal.live.tidy()
        terminal.follow_hours()
        is_linked = terminal.uplink.link is not None
        holds = terminal.roster.book.version, terminal.lockdown.current
        news = holds != told or (is_linked and not linked)
        if is_linked and now >= due["scores"]:
            due["scores"] = now + SCORES_S
            await asyncio.to_thread(terminal.tell_scores)
        linked = is_linked
        if now >= due["presence"] or news:
            due["presence"] = now + PRESENCE_S
            presence = await asyncio.to_thread(terminal.presence)
            told = holds
            terminal.uplink.publish(presence)
        if now >= due["clock"]:
            due["clock"] = now + SAVE_INTERVAL_S
            await asyncio.to_thread(terminal.save_clock)
            await asyncio.to_thread(terminal.save_scores)
        if now >= due["drain"] and len(terminal.reserve):
            due["drain"] = now + DRAIN_S
            await asyncio.to_thread(terminal.entries.drain_reserve)
        if now >= due["prune"]:
            due["prune"] = now + PRUNE_S
            await asyncio.to_thread(_prune, terminal)
        if now >= due["check"]:
            due["check"] = now + CHECK_S
            await asyncio.to_thread(_check, terminal)
        await asyncio.sleep(_TICK_S)


def _check(terminal: Terminal) -> None:
    terminal.check.look()
    terminal.alarms.save()
    try:
        terminal.entries.make_room()
    except SQLAlchemyError as error:
        _log.warning("no room could be made for entries: %s", type(error).__name__)


def _prune(terminal: Terminal) -> None:
    moment = terminal.clock.moment()
    terminal.store.prune(moment.floor if moment.unix is None else moment.unix)
    terminal.entries.prune()
    terminal.entries.pass_uses.prune(moment.floor)
