"""Licences that somebody has to read and confirm before a pack's first use on a machine.

A file in the models folder records that somebody did.
"""

from pathlib import Path

from face_engine.errors import LicenceNotConfirmed
from face_engine.models.files import sha256, write_atomically
from face_engine.models.registry import INSIGHTFACE_LICENCE, InsightFacePack, PinnedPack

_CONFIRMATION = "licence-confirmed.txt"


def terms(pack: PinnedPack | InsightFacePack) -> str:
    """What has to be confirmed; empty where nothing has."""
    return pack.terms if isinstance(pack, PinnedPack) else INSIGHTFACE_LICENCE


def confirm_licence(pack: PinnedPack | InsightFacePack, folder: Path) -> None:
    """Record that the pack's terms were read and confirmed on this machine."""
    write_atomically(_confirmation(pack, folder), terms(pack).encode())


def licence_confirmed(pack: PinnedPack | InsightFacePack, folder: Path) -> bool:
    """Whether `confirm_licence` was called for this pack on this machine, or need not be."""
    return not terms(pack) or _confirmation(pack, folder).is_file()


def require_licence(pack: PinnedPack | InsightFacePack, folder: Path) -> None:
    """Refuse a pack whose terms nobody confirmed.

    Raises:
        LicenceNotConfirmed: with the terms and the command that confirms them.
    """
    if not licence_confirmed(pack, folder):
        raise LicenceNotConfirmed(
            f"{terms(pack)} To confirm: gatehouse models fetch --pack {pack.name} --accept-licence",
        )


def _confirmation(pack: PinnedPack | InsightFacePack, folder: Path) -> Path:
    key = pack.name
    if isinstance(pack, InsightFacePack) and pack.folder is not None:
        key = sha256(str(pack.folder.resolve()).encode())[:16]
    return folder / "insightface" / "confirmed" / key / _CONFIRMATION
