"""Which model files a pack runs, for whoever has to state them: role, digest, licence, purpose."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from face_engine.models.files import sha256
from face_engine.models.insightface_packs import insightface_folder
from face_engine.models.purposes import PURPOSES, Purpose, purpose_of_file
from face_engine.models.registry import (
    INSIGHTFACE_LICENCE,
    PinnedPack,
    default_folder,
    pack_named,
)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file: its name, what it is for, the SHA-256 of its bytes, and its licence."""

    name: str
    purpose: Purpose
    sha256: str
    licence: str


@lru_cache(maxsize=4)
def models_of(name: str, folder: Path | None = None) -> tuple[ModelFile, ...]:
    """Return the files that a pack of this name runs; those of folders are read through once.

    Raises:
        PackUnknown: there is no such pack.
        ModelUnfit: a file of its folder is no model.
    """
    pack = pack_named(name)
    if isinstance(pack, PinnedPack):
        return tuple(
            ModelFile(file.name, PURPOSES[file.role], file.sha256, file.licence)
            for file in pack.files
        )
    found = []
    for file in sorted(insightface_folder(pack, folder or default_folder()).glob("*.onnx")):
        purpose = purpose_of_file(file)
        if purpose is not None:
            digest = sha256(file.read_bytes())
            found.append(ModelFile(file.name, purpose, digest, INSIGHTFACE_LICENCE))
    return tuple(found)
