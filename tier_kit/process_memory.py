"""A process's memory kept to itself: no core dump, no look from beside, nothing in the swap.

A core dump, a debugger of the same user and the swap all show keys that lie sealed on the disk.
Linux alone; elsewhere one line in the log says that nothing was done. See prctl(2), mlockall(2)
and core(5).
"""

import ctypes
import logging
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

ROOM_BYTES: Final = 1024**3
"""Least memory of a machine, or of its container, on which a process locks its own: with less,
what is used rarely may have to make room, or the kernel ends a process instead."""

_PR_SET_DUMPABLE: Final = 4
_MCL_CURRENT: Final = 1
_MCL_FUTURE: Final = 2
_MCL_ONFAULT: Final = 4
"""Pages are locked once they are used; without it, whatever is reserved would be filled at once."""
_CAP_IPC_LOCK: Final = 14
_UNLIMITED: Final = "unlimited"


@dataclass(frozen=True)
class Guarded:
    """What a running process keeps to itself: dumps are off, and how many bytes are locked."""

    dumps_off: bool
    locked: int


def guard_process() -> None:
    """Switch core dumps off, shut other processes of this user out, and lock memory if it is safe.

    At the start of a process, before it reads a secret. A process that it executes starts without
    the second and third, and has to call this itself.
    """
    if sys.platform != "linux":
        _log.warning("memory=unguarded reason=not-linux")
        return
    import resource  # noqa: PLC0415 - not on every system

    # For good: without privileges a hard limit cannot be raised again.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A core dump that is piped into a program heeds no limit, but this.
    if _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _log.warning("memory=readable reason=%s", os.strerror(ctypes.get_errno()))
    if not lock_obstacle() and _libc().mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        _log.warning("memory=unlocked reason=%s", os.strerror(ctypes.get_errno()))


def lock_obstacle(pid: int | None = None) -> str:
    """Return why a process (this one, if none is named) does not lock its memory; empty if it does.

    `limit`: what it may lock has an end, and the allocation that reaches it would fail, years from
    now perhaps. `little-memory`: see `ROOM_BYTES`. `not-linux`.
    """
    if sys.platform != "linux":
        return "not-linux"
    process = Path("/proc") / str(pid or "self")
    limit = _row(process / "limits", "Max locked memory").split()
    capabilities = int(_row(process / "status", "CapEff:") or "0", 16)
    if limit[:1] != [_UNLIMITED] and not capabilities >> _CAP_IPC_LOCK & 1:
        return "limit"
    return "little-memory" if _memory(process) < ROOM_BYTES else ""


def look_at(pid: int) -> Guarded | None:
    """Look at a running process from outside; None where there is none, or nothing to be seen."""
    process = Path("/proc") / str(pid)
    limit = _row(process / "limits", "Max core file size").split()
    locked = _row(process / "status", "VmLck:").split()
    if not limit or not locked:
        return None
    return Guarded(dumps_off=limit[:2] == ["0", "0"], locked=int(locked[0]) * 1024)


def has_swap() -> bool:
    """Say whether this machine writes memory to a swap."""
    try:
        return len(Path("/proc/swaps").read_text("ascii").splitlines()) > 1
    except OSError:
        return False


def _memory(process: Path) -> int:
    """Return the bytes of memory that this machine, or the container around a process, has."""
    total = int((_row(Path("/proc/meminfo"), "MemTotal:").split() or ["0"])[0]) * 1024
    group = _row(process / "cgroup", "0::").strip().lstrip("/")
    try:
        limit = (Path("/sys/fs/cgroup") / group / "memory.max").read_text("ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def _row(file: Path, name: str) -> str:
    """Return what stands behind a name in a file of the kernel's; empty if it is not there."""
    try:
        for line in file.read_text("utf-8", "replace").splitlines():
            if line.startswith(name):
                return line.removeprefix(name)
    except OSError:
        pass
    return ""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
