"""Files for their owner's eyes only: keys, codes, what pairing brought."""

import os
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Put a file in place, whole or not at all, durably, readable by its owner alone.

    Its folder is made, for the owner alone, where it is missing. A file left over from a write
    that a power cut ended is replaced.
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
    fresh.replace(path)
    sync_folder(path.parent)


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
