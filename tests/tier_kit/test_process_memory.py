"""A guarded process leaves no core dump, is read by nobody beside it, and is not swapped out."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pytest

from tests.support.crashes import core_dumps_allowed, core_dumps_are_written, dumps_core
from tier_kit import process_memory
from tier_kit.process_memory import guard_process, lock_obstacle, look_at

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone is guarded")

NOBODY: Final = 65534
ROOT: Final = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")
SCRIPT: Final = """
import ctypes, os, resource, sys
from tier_kit.process_memory import guard_process
guard, user = sys.argv[1] == "guarded", int(sys.argv[2])
print("begun", flush=True); sys.stdin.readline()
resource.setrlimit(resource.RLIMIT_MEMLOCK, (4 << 20, 4 << 20))
if user:
    os.setgroups([]); os.setgid(user); os.setuid(user)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as after the start of a program by that user
if guard:
    guard_process()
print("ready", flush=True); sys.stdin.readline()
held = [bytearray(1 << 20) for _ in range(64)]
print("held", len(held), flush=True); sys.stdin.readline()
"""
READER: Final = """
import os, sys
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
try:
    open(f"/proc/{sys.argv[1]}/mem", "rb").close()
    print("read")
except PermissionError:
    print("refused")
"""


class Started:
    """A process that goes on, step by step."""

    def __init__(self, how: str, user: int, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, how, str(user)],
            cwd=folder,
            env={"PYTHONPATH": str(Path(process_memory.__file__).parent.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._pipe(self.process.stdout).readline() == "begun\n"

    def go_on(self) -> str:
        into = self._pipe(self.process.stdin)
        into.write("\n")
        into.flush()
        return self._pipe(self.process.stdout).readline().strip()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@contextmanager
def started(how: str, folder: Path, user: int = 0) -> Iterator[Started]:
    with core_dumps_allowed():
        one = Started(how, user, folder)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_guarded_process_that_crashes_leaves_no_core_dump(
    tmp_path: Path, number: signal.Signals
) -> None:
    with started("guarded", tmp_path) as one:
        one.go_on()
        guarded = look_at(one.process.pid)
        assert guarded is not None
        assert guarded.dumps_off
        assert not dumps_core(one.process.pid, number)
    if core_dumps_are_written():  # else nothing would, and the test could not fail
        with started("as it is", tmp_path) as one:
            one.go_on()
            assert dumps_core(one.process.pid, number)


@ROOT
def test_another_process_of_the_same_user_cannot_read_its_memory(tmp_path: Path) -> None:
    for how, answer in (("as it is", "read"), ("guarded", "refused")):
        with started(how, tmp_path, NOBODY) as one:
            one.go_on()
            read = [sys.executable, "-c", READER, str(one.process.pid), str(NOBODY)]
            found = subprocess.run(read, check=True, capture_output=True, text=True)
        assert found.stdout.strip() == answer


@ROOT
def test_memory_is_locked_where_there_is_no_limit_and_may_grow(tmp_path: Path) -> None:
    with started("guarded", tmp_path) as one:  # root has no limit, whatever is written
        one.go_on()
        assert lock_obstacle(one.process.pid) == ""
        before = look_at(one.process.pid)
        assert one.go_on() == "held 64"
        after = look_at(one.process.pid)
    assert before is not None
    assert after is not None
    assert 0 < before.locked < after.locked


@ROOT
def test_where_locked_memory_has_a_limit_nothing_is_locked_and_no_allocation_fails(
    tmp_path: Path,
) -> None:
    with started("guarded", tmp_path, NOBODY) as one:
        one.go_on()
        assert lock_obstacle(one.process.pid) == "limit"
        # More than may be locked: had it been locked, this would have failed.
        assert one.go_on() == "held 64"
        found = look_at(one.process.pid)
    assert found is not None
    assert found.locked == 0
    assert found.dumps_off


@ROOT
def test_a_machine_with_little_memory_keeps_its_swap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lock_obstacle() == ""
    monkeypatch.setattr(process_memory, "ROOM_BYTES", 1 << 60)
    assert lock_obstacle() == "little-memory"


def test_elsewhere_it_is_one_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    guard_process()
    assert [record.getMessage() for record in caplog.records] == [
        "memory=unguarded reason=not-linux"
    ]
