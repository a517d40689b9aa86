"""The disk that power cuts are tried on forgets what no sync covers, and only that."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from tests.faults.power.disk import PAGE, SECTOR, Disk, Unsynced
from tests.faults.power.recording import (
    FolderMade,
    Happened,
    Opened,
    Removed,
    Renamed,
    Resized,
    Synced,
    Wrote,
)

ROOT = Path("/disk")
FILE = "/disk/file"


def _opened(line: int, path: str = FILE) -> Opened:
    return Opened(line, line, path, "3", creates=True, empties=False, appends=False)


def _wrote(line: int, data: bytes, *, end: int = 0, offset: int = 0) -> Wrote:
    return Wrote(line, end or line, FILE, "3", data, offset)


def _after(
    tmp_path: Path, events: Sequence[Happened], unsynced: Unsynced, seed: int = 0
) -> dict[str, bytes]:
    disk = Disk(ROOT, events)
    disk.advance(100)
    folder = tmp_path / f"{unsynced}-{seed}"
    tmp_path.mkdir(exist_ok=True)
    disk.build(folder, unsynced, Random(seed))
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _fates(tmp_path: Path, events: Sequence[Happened]) -> Iterable[dict[str, bytes]]:
    return (_after(tmp_path, events, "some", seed) for seed in range(200))


def test_a_synced_file_is_there_once_its_folder_is_synced_and_not_before(tmp_path: Path) -> None:
    written = [_opened(1), _wrote(2, b"whole"), Synced(3, 3, FILE)]
    assert _after(tmp_path, written, "lost", 1) == {}
    assert _after(tmp_path, [*written, Synced(4, 4, "/disk")], "lost", 2) == {"file": b"whole"}
    assert _after(tmp_path, written, "kept", 3) == {"file": b"whole"}


def test_a_write_that_is_under_way_when_a_sync_begins_is_not_covered_by_it(tmp_path: Path) -> None:
    named = [_opened(1), Synced(2, 2, "/disk")]
    overlapping = [*named, _wrote(3, b"late", end=5), Synced(4, 6, FILE)]
    assert _after(tmp_path, overlapping, "lost") == {"file": b""}
    assert _after(tmp_path, overlapping, "kept") == {"file": b"late"}


def test_unsynced_pages_come_in_any_order_and_tear_between_sectors_only(tmp_path: Path) -> None:
    old, new = b"o" * (2 * PAGE), b"n" * (2 * PAGE)
    events = [
        *(_opened(1), _wrote(2, old), Synced(3, 3, FILE), Synced(4, 4, "/disk")),
        _wrote(5, new),
    ]
    found = {fate["file"] for fate in _fates(tmp_path, events)}
    assert {old, new, old[:PAGE] + new[PAGE:], new[:PAGE] + old[PAGE:]} <= found
    torn = [one for one in found if len(set(one[:PAGE])) == 2]
    assert torn
    for one in torn:
        sectors = [one[start : start + SECTOR] for start in range(0, len(one), SECTOR)]
        assert {len(set(sector)) for sector in sectors} == {1}


def test_a_length_may_be_there_before_what_it_is_the_length_of(tmp_path: Path) -> None:
    named = [_opened(1), Synced(2, 2, "/disk"), _wrote(3, b"x" * PAGE)]
    found = {fate["file"] for fate in _fates(tmp_path, named)}
    assert {b"", bytes(PAGE), b"x" * PAGE} <= found
    shortened = [*named, Synced(4, 4, FILE), Resized(5, 5, FILE, 7)]
    assert {fate["file"][:7] for fate in _fates(tmp_path / "2", shortened)} == {b"x" * 7}


def test_a_shortening_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    old, new = b"o" * (2 * PAGE), b"n" * PAGE
    events = [
        *(_opened(1), _wrote(2, old), Synced(3, 3, FILE), Synced(4, 4, "/disk")),
        *(Resized(5, 5, FILE, 0), _wrote(6, new)),
    ]
    found = {fate["file"] for fate in _fates(tmp_path, events)}
    assert {old, b"", new} <= found
    assert all(b"o" not in one for one in found - {old})


def test_a_renaming_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    events = [
        *(_opened(1), _wrote(2, b"old"), Synced(3, 3, FILE), Synced(4, 4, "/disk")),
        *(_opened(5, "/disk/new"), Wrote(6, 6, "/disk/new", "3", b"new", None)),
        *(Synced(7, 7, "/disk/new"), Renamed(8, 8, "/disk/new", FILE)),
    ]
    assert {fate["file"] for fate in _fates(tmp_path, events)} == {b"old", b"new"}


def test_what_was_removed_is_gone_once_its_folder_is_synced(tmp_path: Path) -> None:
    named = [_opened(1), Synced(2, 2, "/disk"), Removed(3, 3, FILE)]
    assert [len(fate) for fate in (_after(tmp_path, named, one) for one in ("lost", "kept"))] == [
        1,
        0,
    ]
    assert _after(tmp_path, [*named, Synced(4, 4, "/disk")], "lost", 1) == {}


def test_a_folder_without_a_durable_name_is_lost_with_all_that_is_durable_in_it(
    tmp_path: Path,
) -> None:
    inner = "/disk/folder/file"
    events: list[Happened] = [
        FolderMade(1, 1, "/disk/folder"),
        _opened(2, inner),
        Wrote(3, 3, inner, "3", b"x", 0),
        Synced(4, 4, inner),
        Synced(5, 5, "/disk/folder"),
    ]
    assert _after(tmp_path, events, "lost") == {}
    assert _after(tmp_path, [*events, Synced(6, 6, "/disk")], "lost", 1) == {"folder/file": b"x"}
