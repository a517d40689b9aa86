"""What a process told its disk and its sockets, in order: strace's log, read into events.

strace stops the process around each call, so the order of the log's lines is the order in which
things happened; no clock is asked. A call that takes effect between two lines may be on the disk
from the first on and is over at the second.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_CALLS: Final = (
    "openat",
    "creat",
    "lseek",
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "ftruncate",
    "truncate",
    "fallocate",
    "copy_file_range",
    "sendfile",
    "fsync",
    "fdatasync",
    "sync",
    "syncfs",
    "sync_file_range",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mkdir",
    "mkdirat",
    "sendto",
    "sendmsg",
    "recvfrom",
)
_LONGEST_STRING: Final = 8 * 1024 * 1024  # the reserve is written in one call of 2 MiB

DELETED: Final = " (deleted)"
"""Stands behind the path of a file whose name was removed while it was open."""
_UNFINISHED: Final = b" <unfinished ...>"
_RESUMED: Final = re.compile(rb"^<\.\.\. (\w+) resumed>(.*)$")
_WHOLE: Final = re.compile(rb"^(\w+)\((.*)\) += (-?\d+)(?:<((?:\\x[0-9a-f]{2})+)[^>]*>)?.*$")
_DESCRIPTOR: Final = re.compile(rb"^(\d+)<([^>]*(?:->[^>]*)?)>(\(deleted\))?")
_STRING: Final = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
_IOVEC: Final = re.compile(rb'iov_base="((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True)
class Happened:
    """Base of all events: the first and the last line of the call that made it."""

    begin: int
    end: int


@dataclass(frozen=True)
class Opened(Happened):
    """A name was opened for writing; without `exclusive` the file may have been there."""

    path: str
    handle: str
    creates: bool
    empties: bool
    appends: bool


@dataclass(frozen=True)
class Wrote(Happened):
    """Bytes for a file; without `offset` they go where the handle stands."""

    path: str
    handle: str
    data: bytes
    offset: int | None


@dataclass(frozen=True)
class Positioned(Happened):
    """A handle stands here now."""

    path: str
    handle: str
    offset: int


@dataclass(frozen=True)
class Resized(Happened):
    path: str
    size: int


@dataclass(frozen=True)
class Synced(Happened):
    """A file's content, or a folder's names, are on the disk."""

    path: str


@dataclass(frozen=True)
class Renamed(Happened):
    path: str
    to: str


@dataclass(frozen=True)
class Removed(Happened):
    path: str


@dataclass(frozen=True)
class FolderMade(Happened):
    path: str


@dataclass(frozen=True)
class Sent(Happened):
    """Bytes for the outside: a socket's, or a pipe's. `to` names it."""

    to: str
    data: bytes


@dataclass(frozen=True)
class Received(Happened):
    """Bytes from the outside."""

    data: bytes


class UnreadableRecording(Exception):
    """The log holds a call that this reader does not know what it did to the disk."""


def can_trace() -> bool:
    """Whether strace is here and may trace."""
    if shutil.which("strace") is None:
        return False
    trial = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "true"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def traced(command: Sequence[str], log: Path) -> list[str]:
    """Return the command that runs another one and records it."""
    return [
        *("strace", "-f", "--seccomp-bpf", "-qq", "-yy", "-xx", "-s", str(_LONGEST_STRING)),
        *("-e", "signal=none", "-e", f"trace={','.join(_CALLS)}", "-o", str(log), "--"),
        *command,
    ]


def read_recording(log: Path, disk: Path, *, first: int = 0) -> list[Happened]:
    """Return what happened on a disk, and what was sent, in order of beginning.

    Args:
        log: What `traced` left.
        disk: The folder that is a disk of its own; what lies elsewhere is left out.
        first: Number of the log's first line, to go on behind another recording.

    Raises:
        UnreadableRecording: something happened to the disk that is not understood.
    """
    events = [
        event
        for call in _calls(log, str(disk), first)
        if call.result >= 0 and (event := _event(call, str(disk))) is not None
    ]
    return sorted(events, key=lambda one: one.begin)


@dataclass
class Recording:
    """What happened to one disk, in order; grows run by run."""

    disk: Path
    events: list[Happened] = field(default_factory=list)
    lines: int = 0

    def add(self, log: Path) -> None:
        """Go on with what one more run left, and delete its log."""
        self.events += read_recording(log, self.disk, first=self.lines)
        with log.open("rb") as lines:
            self.lines += sum(1 for _ in lines)
        log.unlink()


@dataclass(frozen=True)
class _Call:
    begin: int
    end: int
    name: str
    arguments: bytes
    result: int
    returned_path: str


def _calls(log: Path, disk: str, first: int) -> Iterator[_Call]:
    begun: dict[bytes, tuple[int, bytes]] = {}
    ours = re.compile(rb"<TCP|" + re.escape(_escaped("pipe:")) + b"|" + re.escape(_escaped(disk)))
    with log.open("rb") as lines:
        for number, line in enumerate(lines, first):
            thread, text = line.rstrip(b"\n").split(maxsplit=1)
            begin = number
            resumed = _RESUMED.match(text)
            if resumed is not None and thread in begun:
                begin, start = begun.pop(thread)
                text = start + resumed[2]
            elif ours.search(text) is None:
                continue
            elif text.endswith(_UNFINISHED):
                begun[thread] = number, text.removesuffix(_UNFINISHED)
                continue
            whole = _WHOLE.match(text)
            if whole is not None:
                name, arguments, result, path = whole.groups()
                yield _Call(
                    begin, number, name.decode(), arguments, int(result), _text(path or b"")
                )


def _event(call: _Call, disk: str) -> Happened | None:
    match call.name:
        case "openat" | "creat":
            return _opened(call, disk)
        case "write" | "writev" | "pwrite64" | "sendto" | "sendmsg":
            return _written(call, disk)
        case "recvfrom":
            strings = _STRING.findall(call.arguments)
            return Received(call.begin, call.end, b"".join(map(_bytes, strings)))
        case "ftruncate" | "fsync" | "fdatasync" | "lseek":
            return _of_descriptor(call, disk)
    return _renamed_or_made(call, disk)


def _opened(call: _Call, disk: str) -> Happened | None:
    if not _within(call.returned_path, disk) or b"O_RDONLY" in call.arguments:
        return None
    return Opened(
        call.begin,
        call.end,
        call.returned_path,
        f"{call.result}",
        creates=b"O_CREAT" in call.arguments,
        empties=b"O_TRUNC" in call.arguments,
        appends=b"O_APPEND" in call.arguments,
    )


def _of_descriptor(call: _Call, disk: str) -> Happened | None:
    found = _DESCRIPTOR.match(call.arguments)
    path = _text(found[2]) + (DELETED if found[3] else "") if found else ""
    if not _within(path, disk):
        return None
    rest = call.arguments.split(b", ")[1:]
    if call.name == "ftruncate":
        return Resized(call.begin, call.end, path, int(rest[0]))
    if call.name != "lseek":
        return Synced(call.begin, call.end, path)
    return Positioned(call.begin, call.end, path, found[1].decode() if found else "", call.result)


def _renamed_or_made(call: _Call, disk: str) -> Happened | None:
    span = (call.begin, call.end)
    paths = [_text(one) for one in _STRING.findall(call.arguments)]
    if not any(_within(one, disk) for one in paths):
        if _text_of_all(call.arguments).find(disk) < 0:
            return None
        raise UnreadableRecording(f"{call.name} on the disk")
    match call.name:
        case "rename" | "renameat" | "renameat2":
            return Renamed(*span, *paths)
        case "unlink" | "unlinkat":
            return Removed(*span, *paths)
        case "mkdir" | "mkdirat":
            return FolderMade(*span, *paths)
    raise UnreadableRecording(f"{call.name} on the disk")


def _written(call: _Call, disk: str) -> Happened | None:
    found = _DESCRIPTOR.match(call.arguments)
    if found is None:
        return None
    handle, target, gone = found.groups()
    strings = (_IOVEC if call.name in {"writev", "sendmsg"} else _STRING).findall(call.arguments)
    path = _text(target) + (DELETED if gone else "")
    to_file = _within(path, disk)
    if not to_file and not target.startswith((b"TCP", b"pipe", b"\\x70\\x69\\x70\\x65")):
        return None
    data = b"".join(map(_bytes, strings))[: call.result]
    if len(data) != call.result:
        raise UnreadableRecording(f"{call.name} to {path}: {len(data)} of {call.result} bytes")
    if not to_file:
        return Sent(call.begin, call.end, target.decode(), data)
    offset = None
    if call.name == "pwrite64":
        offset = int(call.arguments.rsplit(b", ", 1)[1])
    return Wrote(call.begin, call.end, path, handle.decode(), data, offset)


def _within(path: str, disk: str) -> bool:
    return path == disk or path.startswith(disk + "/")


def _bytes(escaped: bytes) -> bytes:
    return bytes.fromhex(escaped.replace(b"\\x", b"").decode())


def _escaped(text: str) -> bytes:
    return b"".join(b"\\x%02x" % one for one in text.encode())


def _text(escaped: bytes) -> str:
    """Return a name; strace marks files without one behind it, outside the escapes."""
    return _bytes(b"".join(re.findall(rb"\\x[0-9a-f]{2}", escaped))).decode()


def _text_of_all(arguments: bytes) -> str:
    return " ".join(_text(one) for one in re.findall(rb"(?:\\x[0-9a-f]{2})+", arguments))
