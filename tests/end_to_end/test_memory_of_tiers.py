"""No tier's process leaves what is in its memory behind, nor lets another process read it."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from door_terminal.vision.messages import REHEARSE
from gatehouse.camera_feed import CameraFeed
from gatehouse.local_estate import LocalEstate, wait_for
from tests.support.crashes import core_dumps_allowed, dumps_core
from tier_kit.process_memory import lock_obstacle, look_at

pytestmark = pytest.mark.long


def test_no_tier_that_crashes_leaves_a_core_dump_and_all_lock_their_memory(tmp_path: Path) -> None:
    with core_dumps_allowed(), CameraFeed() as feed, LocalEstate(tmp_path) as estate:
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Sunny Court")
        door = estate.add_door("Main gate", feed.url)
        estate.await_door(door)
        tiers = [estate.cloud, estate.server, estate.doors[door]]
        pids = [tier.process.pid for tier in tiers if tier.process is not None]
        assert len(pids) == len(tiers)
        for pid in pids:
            _guarded(pid)
        wait_for("vision to guard itself", lambda: _vision_is_guarded(pids[-1]))
        for pid, number in zip(pids, (signal.SIGSEGV, signal.SIGABRT, signal.SIGSEGV), strict=True):
            assert not dumps_core(pid, number)
    assert not list(Path.cwd().glob("core*"))


def _guarded(pid: int) -> None:
    found = look_at(pid)
    assert found is not None
    assert found.dumps_off
    assert bool(found.locked) == (lock_obstacle(pid) == "")
    # What cannot be dumped belongs to root, whoever runs it.
    assert Path(f"/proc/{pid}/mem").stat().st_uid == 0
    if os.geteuid() == 0:  # whoever administers the machine still may: py-spy, gdb
        Path(f"/proc/{pid}/maps").read_text()


def _vision_is_guarded(controller: int) -> bool:
    """Say so of the process that looks, once the controller has started it."""
    for one in psutil.Process(controller).children():
        line = one.cmdline()
        if "door_terminal.vision" in line and REHEARSE not in line:
            found = look_at(one.pid)
            locks = lock_obstacle(one.pid) == ""
            return found is not None and found.dumps_off and bool(found.locked) == locks
    return False
