"""`gatehouse evaluate-liveness`: measure how faces are told from pictures of faces."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from face_engine.errors import FaceEngineError, ModelsMissing
from face_engine.evaluation.liveness.evaluate import evaluate_liveness as run_evaluation
from face_engine.liveness.passive import PassiveLiveness, load_passive
from face_engine.models import DEFAULT_PACK, load_pack
from face_engine.models.registry import LIVENESS_PACKS, SILENT_FACE


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--people",
    default=40,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many people's photos to render films from, at most.",
)
@click.option(
    "--skip",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Leave out so many people first: for figures of others than a method was set by.",
)
@click.option("--pack", "pack_name", default=DEFAULT_PACK, show_default=True, metavar="NAME")
@click.option(
    "--liveness-pack",
    default=SILENT_FACE.name,
    show_default=True,
    type=click.Choice(tuple(LIVENESS_PACKS)),
    help="The networks that tell faces from pictures.",
)
@click.option("--without-passive", is_flag=True, help="Do without these networks.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate_liveness(
    *,
    folder: Path,
    people: int,
    skip: int,
    pack_name: str,
    liveness_pack: str,
    without_passive: bool,
    as_json: bool,
) -> None:
    """Measure APCER by kind of attack, BPCER, and how often nothing can be said.

    FOLDER holds recordings (live/PERSON/..., attacks/KIND/PERSON/...: videos, folders of
    pictures, or pictures), or one folder of photos per person. From photos, films of heads,
    prints and screens are rendered, with and without the challenge.
    """
    try:
        detector = load_pack(pack_name).detector
        passive = None if without_passive else _passive(liveness_pack)
        result = run_evaluation(folder, detector, passive, people=people, skip=skip, progress=True)
    except FaceEngineError as refused:
        raise click.ClickException(f"{refused} [{refused.code}]") from refused
    if as_json:
        click.echo(json.dumps(result))
    else:
        click.echo("\n".join(_lines(result)))


def _passive(name: str) -> PassiveLiveness | None:
    try:
        return load_passive(pack=LIVENESS_PACKS[name])
    except ModelsMissing as missing:
        click.echo(f"Parallax and challenge alone: {missing}", err=True)
        return None


def _lines(result: dict[str, Any]) -> Iterator[str]:
    yield from _table(result)
    if "challenge" in result:
        yield ""
        yield "When the screen asks for a turn of the head:"
        yield from _table(result["challenge"])
    yield ""
    yield from (line for line in (result["note"], result["limits"]) if line)


def _table(rates: dict[str, Any]) -> Iterator[str]:
    header = ("taken for live", "for a picture", "undecided", "no face")
    yield f"{'':<16}{'films':>6}" + "".join(f"{name:>28}" for name in header)
    for row in rates["live"]:
        yield _line(row, "accepted", "bpcer")
    for row in rates["attacks"]:
        yield _line(row, "apcer", "detected")
    yield f"BPCER {_rate(rates, 'bpcer')}; APCER of the worst kind {rates['apcer']:.1%}"


def _line(row: dict[str, Any], live: str, picture: str) -> str:
    cells = "".join(f"{_rate(row, name):>28}" for name in (live, picture, "undecided", "unseen"))
    return f"{row['kind']:<16}{row['presentations']:>6}{cells}"


def _rate(row: dict[str, Any], name: str) -> str:
    return f"{row[name]:.1%} [{row[f'{name}_low']:.1%}, {row[f'{name}_high']:.1%}]"
