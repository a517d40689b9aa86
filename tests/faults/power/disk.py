"""A disk as it could stand after a power cut, by the strictest reading of what a sync promises.

- A file's content is on the disk once a sync of the file, begun after the write, has ended. What
  was written since may be there or not, page by page, in any order, and torn between sectors.
- So may its length. What a longer file has not got yet reads as zeros. A shortening happens whole
  or not at all, since it gives blocks back and what is written behind it gets others.
- A name (made, renamed, removed) is on the disk once its folder was synced, whatever else was.
  Those since may be there or not, in any order; a renaming happens whole or not at all.

Real file systems promise more (ext4 writes names in order, and a new file's with its content).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random
from typing import Final, Literal

from tests.faults.power.recording import (
    DELETED,
    FolderMade,
    Happened,
    Opened,
    Positioned,
    Removed,
    Renamed,
    Resized,
    Synced,
    Wrote,
)

SECTOR: Final = 512  # what a disk writes whole
PAGE: Final = 4096  # what a system writes back at once
_TORN: Final = 0.3

Unsynced = Literal["lost", "kept", "some"]
"""What becomes of what no sync covers: all lost, all kept, or by chance."""


@dataclass(frozen=True)
class _Change:
    """Bytes at an offset; without bytes, a new length."""

    begin: int
    end: int
    offset: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        if self.data is None:
            del content[self.offset :]
        content.extend(bytes(max(0, self.offset - len(content))))
        if self.data is not None:
            content[self.offset : self.offset + len(self.data)] = self.data

    def apply_to_page(self, content: bytearray, page: int) -> None:
        """Apply what of it lies in the page at an offset; a cut leaves zeros behind it."""
        data = self.data if self.data is not None else bytes(max(0, page + PAGE - self.offset))
        first = max(self.offset, page)
        end = min(self.offset + len(data), page + len(content))
        content[first - page : end - page] = data[first - self.offset : end - self.offset]

    def size_after(self, size: int) -> int:
        return self.offset if self.data is None else max(size, self.offset + len(self.data))


@dataclass
class _File:
    now: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[_Change] = field(default_factory=list)

    def change(self, change: _Change) -> None:
        change.apply(self.now)
        self.pending.append(change)

    def synced(self, begin: int) -> None:
        covered = [one for one in self.pending if one.end < begin]
        for one in covered:
            one.apply(self.durable)
        self.pending = [one for one in self.pending if one.end >= begin]

    def after_cut(self, unsynced: Unsynced, chance: Random) -> bytes:
        if unsynced != "some":
            return bytes(self.durable if unsynced == "lost" else self.now)
        before, pending = chance.choice(list(self._between_shortenings()))
        sizes = [len(before)]
        for change in pending:
            sizes.append(change.size_after(sizes[-1]))
        content = bytearray(before).ljust(max(sizes), b"\0")
        for page, changes in sorted(_by_page(pending, max(sizes)).items()):
            versions = [bytearray(content[page : page + PAGE])]
            for change in changes:
                versions.append(bytearray(versions[-1]))
                change.apply_to_page(versions[-1], page)
            written_back = chance.choice(versions)
            torn = chance.random() < _TORN
            for start in range(0, len(written_back), SECTOR):
                version = chance.choice(versions) if torn else written_back
                content[page + start : page + start + SECTOR] = version[start : start + SECTOR]
        return bytes(content[: chance.choice(sizes)])

    def _between_shortenings(self) -> Iterator[tuple[bytes, list[_Change]]]:
        """Yield what a file may be a mixture of: a content and the changes to it.

        A shortening gives the blocks back at once, and what is written behind it gets others: no
        mixture holds some of what was there before and some of what came after.
        """
        content, changes = bytearray(self.durable), list[_Change]()
        for one in self.pending:
            if one.data is None and one.offset < len(self._now_after(changes, content)):
                yield bytes(content), changes
                content, changes = self._now_after([*changes, one], content), []
            else:
                changes = [*changes, one]
        yield bytes(content), changes

    @staticmethod
    def _now_after(changes: Iterable[_Change], content: bytearray) -> bytearray:
        """Return what reading gives after changes to a content."""
        after = bytearray(content)
        for one in changes:
            one.apply(after)
        return after


def _by_page(changes: Iterable[_Change], size: int) -> dict[int, list[_Change]]:
    """Return the changes that touch each page, by its offset."""
    touched: dict[int, list[_Change]] = {}
    for one in changes:
        end = size if one.data is None else one.offset + len(one.data)
        for page in range(one.offset // PAGE * PAGE, end, PAGE):
            touched.setdefault(page, []).append(one)
    return touched


@dataclass
class _Handle:
    """An open file and where the next write goes that names no place."""

    file: _File
    appends: bool
    offset: int = 0


@dataclass(frozen=True)
class _NameChange:
    """A name that goes, a name that comes with what it then stands for, or both."""

    begin: int
    end: int
    gone: str | None
    come: tuple[str, "_Node"] | None

    def apply(self, names: dict[str, "_Node"]) -> None:
        if self.gone is not None:
            names.pop(self.gone, None)
        if self.come is not None:
            name, node = self.come
            names[name] = node


@dataclass
class _Folder:
    now: dict[str, "_Node"] = field(default_factory=dict)
    durable: dict[str, "_Node"] = field(default_factory=dict)
    pending: list[_NameChange] = field(default_factory=list)

    def change(self, change: _NameChange) -> None:
        change.apply(self.now)
        self.pending.append(change)

    def synced(self, begin: int) -> None:
        for one in self.pending:
            if one.end < begin:
                one.apply(self.durable)
        self.pending = [one for one in self.pending if one.end >= begin]

    def after_cut(self, unsynced: Unsynced, chance: Random) -> dict[str, "_Node"]:
        names = dict(self.durable)
        for one in self.pending:
            if unsynced == "kept" or (unsynced == "some" and chance.random() < 1 / 2):
                one.apply(names)
        return names


_Node = _File | _Folder


class Disk:
    """One disk, from empty on, along a recording.

    Args:
        root: Where it was mounted.
        events: What happened to it, in order.
        heeds_syncs: False for a disk that takes syncs and does nothing about them.
    """

    def __init__(self, root: Path, events: Sequence[Happened], *, heeds_syncs: bool = True) -> None:
        self._root = PurePosixPath(root)
        self._top = _Folder()
        self._ghosts: dict[str, _File] = {}
        self._handles: dict[tuple[str, str], _Handle] = {}
        self._moments = _moments(events, heeds_syncs=heeds_syncs)
        self._next = next(self._moments, None)

    def advance(self, line: int) -> None:
        """Go on to just before a line of the recording; never backwards."""
        while self._next is not None and self._next[0] < line:
            self._take(self._next[1])
            self._next = next(self._moments, None)

    def build(self, folder: Path, unsynced: Unsynced, chance: Random) -> None:
        """Write the disk into a new folder as a power cut could leave it now."""
        _build(self._top.after_cut(unsynced, chance), folder, unsynced, chance)

    def now(self) -> dict[str, bytes]:
        """Return what processes read, by path below the root."""
        return dict(_contents(self._top, ""))

    def _take(self, event: Happened) -> None:
        match event:
            case Opened():
                self._open(event)
            case Wrote():
                self._write(event)
            case Positioned():
                # One that only reads is not among them.
                if handle := self._handles.get((event.path, event.handle)):
                    handle.offset = event.offset
            case Resized():
                change = _Change(event.begin, event.end, event.size, None)
                self._file(event.path).change(change)
            case Synced():
                self._node(event.path).synced(event.begin)
            case Renamed() | Removed() | FolderMade():
                self._take_name(event)

    def _take_name(self, event: Renamed | Removed | FolderMade) -> None:
        span = (event.begin, event.end)
        folder, name = self._place(event.path)
        match event:
            case Renamed():
                to_folder, to = self._place(event.to)
                assert folder is to_folder, "a renaming from folder to folder"
                if isinstance(former := folder.now.get(to), _File):
                    self._ghosts[event.to + DELETED] = former
                folder.change(_NameChange(*span, name, (to, folder.now[name])))
            case Removed():
                if isinstance(node := folder.now[name], _File):
                    self._ghosts[event.path + DELETED] = node
                folder.change(_NameChange(*span, name, None))
            case FolderMade():
                folder.change(_NameChange(*span, None, (name, _Folder())))

    def _open(self, event: Opened) -> None:
        folder, name = self._place(event.path)
        if name not in folder.now:
            assert event.creates, f"{event.path} was opened and is not there"
            folder.change(_NameChange(event.begin, event.end, None, (name, _File())))
        file = self._file(event.path)
        if event.empties and file.now:
            file.change(_Change(event.begin, event.end, 0, None))
        self._handles[event.path, event.handle] = _Handle(file, event.appends)

    def _write(self, event: Wrote) -> None:
        offset = event.offset
        if offset is None:
            handle = self._handles[event.path, event.handle]
            file = handle.file
            offset = len(file.now) if handle.appends else handle.offset
            handle.offset = offset + len(event.data)
        else:
            file = self._file(event.path)
        file.change(_Change(event.begin, event.end, offset, event.data))

    def _place(self, path: str) -> tuple[_Folder, str]:
        *above, name = PurePosixPath(path).relative_to(self._root).parts
        folder = self._top
        for one in above:
            below = folder.now[one]
            assert isinstance(below, _Folder)
            folder = below
        return folder, name

    def _node(self, path: str) -> _Node:
        if path.endswith(DELETED):
            return self._ghosts[path]
        if PurePosixPath(path) == self._root:
            return self._top
        folder, name = self._place(path)
        return folder.now[name]

    def _file(self, path: str) -> _File:
        node = self._node(path)
        assert isinstance(node, _File)
        return node


def _moments(events: Sequence[Happened], *, heeds_syncs: bool) -> Iterator[tuple[int, Happened]]:
    """Yield events when they count: writes when they begin, syncs when they have ended."""
    moments = [
        (one.end if isinstance(one, Synced) else one.begin, one)
        for one in events
        if heeds_syncs or not isinstance(one, Synced)
    ]
    yield from sorted(moments, key=lambda one: one[0])


def _build(names: dict[str, _Node], folder: Path, unsynced: Unsynced, chance: Random) -> None:
    folder.mkdir()
    for name, node in sorted(names.items()):
        if isinstance(node, _Folder):
            _build(node.after_cut(unsynced, chance), folder / name, unsynced, chance)
        elif not name.endswith("-shm"):
            # SQLite's index of its log is shared memory; after a cut it is made anew.
            (folder / name).write_bytes(node.after_cut(unsynced, chance))


def _contents(folder: _Folder, prefix: str) -> Iterator[tuple[str, bytes]]:
    for name, node in folder.now.items():
        if isinstance(node, _Folder):
            yield from _contents(node, f"{prefix}{name}/")
        elif not name.endswith("-shm"):
            yield f"{prefix}{name}", bytes(node.now)
