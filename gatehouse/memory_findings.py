"""Whether what lies in memory here can reach a disk: the swap, and core dumps."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatehouse.finding import Finding
from tier_kit.process_memory import has_swap, lock_obstacle, look_at
from tier_kit.settings import ConfigurationRefused

_SWAPPED: Final = "what lies in its memory, keys too, may be written to the swap"
_REASONS: Final = {
    "limit": "its limit of locked memory has an end",
    "little-memory": "there is less than 1 GiB of memory here",
    "not-linux": "this is not Linux",
}
_REMEDIES: Final = {
    "limit": "LimitMEMLOCK=infinity in its unit (`ulimit -l unlimited` in a shell), or encrypt the"
    " swap",
    "little-memory": "switch the swap off, or encrypt it",
    "not-linux": "encrypt the swap, and switch core dumps off",
}


def memory_findings() -> Iterator[Finding]:
    """Look at what a process that is started here does, and at the server and the door that run."""
    obstacle, subject = lock_obstacle(), "memory"
    if not has_swap():
        yield Finding(subject, "fine", "there is no swap here: what lies in memory stays there")
    elif obstacle:
        yield _unlocked(subject, obstacle)
    else:
        yield Finding(subject, "fine", "what is started here locks its memory against the swap")
    for tier, lock in _locks():
        pid = holder_of(lock)
        if pid is not None:
            yield from _running(f"memory of the {tier}", pid)


def holder_of(lock: Path) -> int | None:
    """Return the process that holds a lock file (flock(2)), None if none does."""
    try:
        file = lock.stat()
        lines = Path("/proc/locks").read_text("ascii").splitlines()
    except OSError:
        return None
    name = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    for line in lines:
        # `1: FLOCK ADVISORY WRITE <pid> <file> 0 EOF`; one that waits has `->` second.
        words = line.split()
        if words[1] == "FLOCK" and words[5] == name:
            return int(words[4])
    return None


def _running(subject: str, pid: int) -> Iterator[Finding]:
    guarded = look_at(pid)
    if guarded is None:
        return
    if not guarded.dumps_off:
        yield Finding(subject, "warning", "a crash could leave its keys in a core dump", "update")
    elif guarded.locked:
        yield Finding(subject, "fine", "locked against the swap, and no crash leaves a core dump")
    elif not has_swap():
        yield Finding(subject, "fine", "not locked, but there is no swap; no core dumps")
    else:
        yield _unlocked(subject, lock_obstacle(pid))


def _unlocked(subject: str, obstacle: str) -> Finding:
    because = _REASONS.get(obstacle, "the system refused")
    remedy = _REMEDIES.get(obstacle, "switch the swap off, or encrypt it")
    return Finding(subject, "warning", f"not locked, since {because}: {_SWAPPED}", remedy)


def _locks() -> Iterator[tuple[str, Path]]:
    """Yield the lock files of the server and the door that settings here lead to."""
    try:
        from community_server.instance_lock import FILE_NAME  # noqa: PLC0415 - not everywhere
        from community_server.settings import Settings as Server  # noqa: PLC0415 - the same

        yield "server", Server.read().data / FILE_NAME
    except (ModuleNotFoundError, ConfigurationRefused):
        pass  # said by the findings about the server
    try:
        from door_terminal.settings import LOCK_FILE  # noqa: PLC0415 - not on every machine
        from door_terminal.settings import Settings as Door  # noqa: PLC0415 - the same

        yield "door", Door.read().data / LOCK_FILE
    except (ModuleNotFoundError, ConfigurationRefused):
        pass
