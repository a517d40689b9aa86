"""`gatehouse doctor`: look at this machine and say in plain words what is wrong, and what to do."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from gatehouse.finding import Finding
from gatehouse.memory_findings import memory_findings
from gatehouse.trust_findings import door_findings, server_findings

# Below this a database, a log or an update soon fails; well above what a day's entries take.
LOW_DISK_BYTES: Final = 1_000_000_000

_TIER_PACKAGES: Final = {
    "cloud": ("fastapi", "uvicorn", "jinja2"),
    "server": ("fastapi", "uvicorn", "jinja2", "cv2", "onnxruntime", "faiss", "argon2"),
    "door": ("cv2", "onnxruntime", "faiss", "argon2", "httpx"),
}
_PAGES: Final = ("enrollment_cloud", "community_server", "door_terminal")


def look_around() -> Iterator[Finding]:
    """Look at Python packages, models, pages, disk, memory, and what runs here by its settings."""
    yield from _packages()
    yield _models()
    yield from _pages()
    yield _disk()
    yield from memory_findings()
    yield from server_findings()
    yield from door_findings()


def _packages() -> Iterator[Finding]:
    for tier, names in _TIER_PACKAGES.items():
        missing = [name for name in names if importlib.util.find_spec(name) is None]
        if missing:
            yield Finding(
                f"packages of the {tier}",
                "warning",
                f"this machine cannot run a {tier}: {', '.join(missing)} not installed",
                f"if it should: pip install 'gatehouse-access[{tier}]'",
            )
        else:
            yield Finding(f"packages of the {tier}", "fine", "installed")


def _models() -> Finding:
    try:
        from face_engine.errors import FaceEngineError  # noqa: PLC0415 - a cloud has no engine
        from face_engine.models import default_folder, load_pack  # noqa: PLC0415 - the same
    except ModuleNotFoundError:
        return Finding("models", "warning", "no face engine here; a cloud needs none")
    try:
        pack = load_pack(folder=default_folder())
    except FaceEngineError as error:
        return Finding("models", "problem", str(error), "gatehouse models fetch")
    return Finding("models", "fine", f"{pack.name} loads")


def _pages() -> Iterator[Finding]:
    for package in _PAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        built = (Path(spec.origin).parent / "static" / "manifest.json").is_file()
        if built:
            yield Finding(f"pages of {package}", "fine", "built")
        else:
            yield Finding(f"pages of {package}", "problem", "not built", "make pages")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    sentence = f"{free / 1e9:.1f} GB free here"
    if free < LOW_DISK_BYTES:
        return Finding("disk", "problem", sentence, "free some space before anything is lost")
    return Finding("disk", "fine", sentence)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
def doctor(*, as_json: bool) -> None:
    """Say what this machine lacks, and the command that brings it."""
    findings = list(look_around())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{finding.state:<8} {finding.subject}: {finding.sentence}")
            if finding.remedy:
                click.echo(f"         → {finding.remedy}")
    sys.exit(1 if any(finding.state == "problem" for finding in findings) else 0)
