"""The machine below a tier: its clock, room for its data, and who may read its files."""

import ctypes
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatehouse.finding import Finding, found
from gatehouse.installation import Installed

LOW_DISK_BYTES: Final = 1_000_000_000
"""Below this a database, a log or an update soon fails; well above what a day's entries take."""
EARLIEST: Final = 1_767_225_600
"""2026-01-01T00:00Z: before it there was no release, so a clock that says so is wrong."""
_TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES: Final = 512  # more than any architecture's struct timex
_PUBLIC: Final = frozenset({"ca.pem", "server.url", "door.url"})
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def clock_findings() -> Iterator[Finding]:
    """Look at this machine's clock."""
    moment = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    if time.time() < EARLIEST:
        yield found("clock.wrong", "problem", moment=moment)
        return
    synchronised = _is_synchronised()
    if synchronised is None:
        yield found("clock.unknown", "warning", moment=moment)
    elif synchronised:
        yield found("clock.right", "fine", moment=moment)
    else:
        yield found("clock.free", "warning", moment=moment)


def _is_synchronised() -> bool | None:
    """Ask the kernel (adjtimex(2), changing nothing); None where it cannot tell."""
    if sys.platform != "linux":
        return None
    try:
        answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else bool(answer != _TIME_ERROR)


def disk_findings(tiers: list[Installed]) -> Iterator[Finding]:
    """Look at the room where each tier keeps its data, or here where there is none."""
    for tier, folder in [(one.tier, one.data) for one in tiers if one.data.is_dir()] or [
        ("", Path.cwd())
    ]:
        free = shutil.disk_usage(folder).free
        values = {"tier": tier, "folder": folder, "free": f"{free / 1e9:.1f}"}
        if free < LOW_DISK_BYTES:
            yield found("disk.low", "problem", **values)
        else:
            yield found("disk.room", "fine", **values)


def file_findings(tiers: list[Installed]) -> Iterator[Finding]:
    """Look at whether other users of this machine can read a tier's keys or data."""
    for one in tiers:
        if one.data.is_dir() and os.name == "posix":
            open_ = list(_readable_by_others(one.data))
            if open_:
                yield found("files.open", "problem", tier=one.tier, file=open_[0], folder=one.data)
            else:
                yield found("files.private", "fine", tier=one.tier)


def _readable_by_others(folder: Path) -> Iterator[Path]:
    """Yield files with others' permissions that no closed folder above them keeps from them."""
    if not folder.stat().st_mode & _OTHERS:
        return
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _readable_by_others(path)
        elif path.name not in _PUBLIC and path.stat().st_mode & _OTHERS:
            yield path
