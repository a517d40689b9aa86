"""Whether what lies in memory here can reach a disk: the swap, and core dumps."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatehouse.finding import LANGUAGE, Finding, found, words
from tier_kit.process_memory import has_swap, lock_obstacle, look_at
from tier_kit.settings import ConfigurationRefused

_KNOWN: Final = frozenset({"limit", "little-memory", "not-linux"})
"""Obstacles that have a sentence of their own."""


def memory_findings() -> Iterator[Finding]:
    """Look at what a process that is started here does, and at the server and the door that run."""
    obstacle = lock_obstacle()
    if not has_swap():
        yield found("memory.no-swap", "fine")
    elif obstacle:
        yield _unlocked(words().say(LANGUAGE.get(), "memory.locks.subject"), obstacle)
    else:
        yield found("memory.locks", "fine")
    for tier, lock in _locks():
        pid = holder_of(lock)
        if pid is not None:
            yield from _running(tier, pid)


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


def _running(tier: str, pid: int) -> Iterator[Finding]:
    guarded = look_at(pid)
    if guarded is None:
        return
    if not guarded.dumps_off:
        yield found("memory-of.dumps", "warning", tier=tier)
    elif guarded.locked:
        yield found("memory-of.locked", "fine", tier=tier)
    elif not has_swap():
        yield found("memory-of.no-swap", "fine", tier=tier)
    else:
        subject = words().say(LANGUAGE.get(), "memory-of.locked.subject", tier=tier)
        yield _unlocked(subject, lock_obstacle(pid))


def _unlocked(subject: str, obstacle: str) -> Finding:
    kind = obstacle if obstacle in _KNOWN else "refused"
    return found(f"unlocked.{kind}", "warning", subject=subject)


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
