"""Processes that crash, and whether the system wrote down what was in their memory."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_CORE: Final = Path("/proc/sys/kernel/core_pattern")


@contextmanager
def core_dumps_allowed() -> Iterator[None]:
    """Let processes that are started in here dump core, unless they forbid it themselves."""
    import resource  # noqa: PLC0415 - not on every system

    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0 and os.geteuid() != 0:
        pytest.skip("core dumps are forbidden here for good")
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def core_dumps_are_written() -> bool:
    """Say whether the system writes core dumps at all."""
    return bool(_CORE.read_text("ascii").strip())


def dumps_core(pid: int, number: signal.Signals) -> bool:
    """Crash a child process by a signal; say whether the system dumped its core."""
    os.kill(pid, number)
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    assert ended.si_code in {os.CLD_DUMPED, os.CLD_KILLED}, ended
    return ended.si_code == os.CLD_DUMPED
