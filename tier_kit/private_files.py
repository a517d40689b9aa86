"""Files for their owner's eyes only: keys, codes, what pairing brought."""

import os
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Put a file in place, whole or not at all, durably, readable by its owner alone.

    Its folder is made, for the owner alone, where it is missing. A file left over from a write
    that a power cut ended is replaced. What the file held before is overwritten: `put_in_place`.
    """
    make_private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    # Made anew, so that a leftover's wider mode or another's open handle is not taken over.
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    put_in_place(fresh, path)


def put_in_place(fresh: Path, path: Path) -> None:
    """Let a durable file take the place of another in its folder, durably.

    What the other held is overwritten where it lay, once nothing leads there any more: its blocks
    are free then, and a key that was replaced is to be gone. A disk that writes elsewhere than it
    is told, as flash and snapshots do, may keep it.
    """
    former = _open_former(path)
    fresh.replace(path)
    sync_folder(path.parent)
    if former is not None:
        _overwrite(former)


def _open_former(path: Path) -> int | None:
    try:
        return os.open(path, os.O_WRONLY)
    except (FileNotFoundError, PermissionError):
        return None


def _overwrite(descriptor: int) -> None:
    """Put zeros over a file that has no name any more, and close it."""
    # A full disk that writes elsewhere than it is told has no room for it; the new file stands.
    try:
        found = os.fstat(descriptor)
        if found.st_nlink == 0:  # else somebody keeps it by another name
            with suppress(OSError):
                os.pwrite(descriptor, bytes(found.st_size), 0)
                os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Make a folder that is missing, for its owner alone, and those above it; durably.

    Without that, a power cut could take the folder away with all the durable files in it.
    """
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700 if missing == folder else 0o777, exist_ok=True)
        sync_folder(missing.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file's own sync does not cover the name it goes by."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
