"""Model files on disk: digests, atomic writing, and the check before anything is loaded."""

import hashlib
import os
import tempfile
from pathlib import Path

from face_engine.errors import ModelDamaged, ModelsMissing
from face_engine.models.registry import PinnedFile, PinnedPack


def sha256(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write so that a reader, or a power cut, meets the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; models are public and often shared between accounts.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def pack_folder(folder: Path, pack: PinnedPack) -> Path:
    """Where a pack's files lie inside the models folder."""
    return folder / pack.folder


def mending_command(pack_name: str, folder: Path) -> str:
    """The command that brings or mends a pack, for error messages."""
    return f"GATEHOUSE_MODELS={folder} gatehouse models fetch --pack {pack_name}"


def read_verified(folder: Path, pack: PinnedPack, file: PinnedFile) -> bytes:
    """The file's bytes, equal to the published ones.

    Raises:
        ModelsMissing: it is not there.
        ModelDamaged: it is there with other bytes.
    """
    path = pack_folder(folder, pack) / file.name
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelsMissing(
            f"The model file {path} is missing. To fetch it: {mending_command(pack.name, folder)}",
        ) from None
    if sha256(data) != file.sha256:
        raise ModelDamaged(
            f"The model file {path} is damaged: its SHA-256 is not the published one. "
            f"To fetch it again: {mending_command(pack.name, folder)}",
        )
    return data
