"""`gatehouse doctor`: look at this machine and say in plain words what is wrong, and what to do."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final, cast

import click

from gatehouse.database_findings import database_findings
from gatehouse.finding import Finding, found, speaking
from gatehouse.installation import installed
from gatehouse.machine_findings import clock_findings, disk_findings, file_findings
from gatehouse.memory_findings import memory_findings
from gatehouse.network_findings import network_findings
from gatehouse.standby_findings import standby_findings
from gatehouse.trust_findings import door_findings, server_findings
from tier_kit.language import LANGUAGES, Language, terminal_language

_TIER_PACKAGES: Final = {
    "cloud": ("fastapi", "uvicorn", "jinja2"),
    "server": ("fastapi", "uvicorn", "jinja2", "cv2", "onnxruntime", "faiss", "argon2"),
    "door": ("cv2", "onnxruntime", "faiss", "argon2", "httpx"),
}
_PAGES: Final = ("enrollment_cloud", "community_server", "door_terminal")


def look_around() -> Iterator[Finding]:
    """Look at this machine and at each tier that was set up on it, by its settings."""
    tiers = installed()
    yield from _packages()
    yield _models()
    yield from _pages()
    yield from clock_findings()
    yield from disk_findings(tiers)
    yield from memory_findings()
    yield from file_findings(tiers)
    yield from database_findings(tiers)
    yield from standby_findings(tiers)
    yield from network_findings(tiers)
    yield from server_findings()
    yield from door_findings()


def _packages() -> Iterator[Finding]:
    for tier, names in _TIER_PACKAGES.items():
        missing = [name for name in names if importlib.util.find_spec(name) is None]
        if missing:
            yield found("packages.missing", "warning", tier=tier, names=", ".join(missing))
        else:
            yield found("packages.there", "fine", tier=tier)


def _models() -> Finding:
    try:
        from face_engine.errors import FaceEngineError  # noqa: PLC0415 - a cloud has no engine
        from face_engine.models import default_folder, load_pack  # noqa: PLC0415 - the same
    except ModuleNotFoundError:
        return found("models.none", "warning")
    try:
        pack = load_pack(folder=default_folder())
    except FaceEngineError as error:
        return found("models.damaged", "problem", trouble=error)
    return found("models.fine", "fine", pack=pack.name)


def _pages() -> Iterator[Finding]:
    for package in _PAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        if (Path(spec.origin).parent / "static" / "manifest.json").is_file():
            yield found("pages.built", "fine", package=package)
        else:
            yield found("pages.missing", "problem", package=package)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Default: this terminal's.")
def doctor(*, as_json: bool, language: str | None) -> None:
    """Say what is wrong with this installation, and what to do; 1 where something is."""
    with speaking(cast("Language", language) if language else terminal_language()):
        findings = list(look_around())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{finding.state:<8} {finding.subject}: {finding.sentence}")
            if finding.remedy:
                click.echo(f"         → {finding.remedy}")
    sys.exit(1 if any(finding.state == "problem" for finding in findings) else 0)
