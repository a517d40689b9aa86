"""`gatehouse threshold`: what an error budget asks of the doors, on one screen."""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from face_engine import calibration
from face_engine.calibration import Calibration, Refusal
from face_engine.error_budget import ATTEMPTS, ErrorBudget, Explanation, explain
from face_engine.errors import FaceEngineError
from face_engine.models.registry import OPENCV_ZOO

_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command()
@click.option("--people", required=True, type=click.IntRange(min=1), help="Enrolled faces.")
@click.option(
    "--wrong-openings",
    default=1.0,
    show_default=True,
    type=_POSITIVE,
    help="Accepted in a month, over all doors.",
)
@click.option(
    "--strangers",
    default=50.0,
    show_default=True,
    type=_POSITIVE,
    help="Sightings a day of people who are not enrolled, over all doors.",
)
@click.option(
    "--attempts",
    default=ATTEMPTS,
    show_default=True,
    type=click.IntRange(min=1, max=10),
    help="Probes that a door may try in one sighting.",
)
@click.option(
    "--frames",
    default=2,
    show_default=True,
    type=click.IntRange(min=1),
    help="Frames that a door fuses into its first probe.",
)
@click.option(
    "--calibration",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of 'gatehouse evaluate --write-calibration' [default: the default pack's].",
)
@click.option("--verbose", is_flag=True, help="Show the threshold itself, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def threshold(
    *,
    people: int,
    wrong_openings: float,
    strangers: float,
    attempts: int,
    frames: int,
    file: Path | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Explain an error budget: what it asks, what it costs, and whether the data carries it.

    The servers reckon with the same code.
    """
    try:
        measured = _calibration(file)
    except FaceEngineError as refused:
        raise click.ClickException(f"{refused} [{refused.code}]") from refused
    budget = ErrorBudget(wrong_openings, strangers, attempts)
    result = explain(budget, measured, people=people, frames=frames)
    if as_json:
        click.echo(json.dumps(_values(budget, result)))
        return
    for paragraph in _paragraphs(budget, measured, people, result):
        click.echo(textwrap.fill(paragraph, 88, subsequent_indent="  "))
    if verbose:
        click.echo(f"Threshold: cosine {result.threshold.value:.4f} in {measured.template_space}.")


def _calibration(file: Path | None) -> Calibration:
    if file is None:
        return calibration.load(OPENCV_ZOO.template_space)
    try:
        return calibration.from_json(file.read_text("utf-8"))
    except (OSError, ValueError, TypeError, KeyError) as broken:
        raise click.ClickException(f"{file} is no calibration: {broken}") from broken


def _values(budget: ErrorBudget, result: Explanation) -> dict[str, object]:
    return {
        "fpir_per_attempt": budget.fpir,
        "fpir_per_sighting": budget.fpir * budget.attempts,
        "gallery_size": result.gallery_size,
        "threshold": result.threshold.value,
        "supported": result.threshold.supported,
        "expected_strangers": result.expected_strangers,
        "supported_wrong_openings_per_month": result.supported_budget,
        "second_credential": not result.threshold.supported,
        "fnir": None if result.refusal is None else asdict(result.refusal),
    }


def _paragraphs(
    budget: ErrorBudget,
    measured: Calibration,
    people: int,
    result: Explanation,
) -> Iterator[str]:
    per_sighting = budget.fpir * budget.attempts
    yield (
        f"Budget: {_count(budget.wrong_openings_per_month, 'wrong opening')} a month, "
        f"{_count(budget.strangers_per_day, 'sighting')} of strangers a day, "
        f"{_count(budget.attempts, 'attempt')} each."
    )
    yield (
        f"Asked: 1 sighting of a stranger in {1 / per_sighting:,.0f} may open a door "
        f"(FPIR {per_sighting:.2g}); 1 attempt in {1 / budget.fpir:,.0f}."
    )
    yield (
        f"Gallery: {_count(people, 'person', 'people')}; the threshold is set for "
        f"{result.gallery_size:,}, so that it need not move with every newcomer."
    )
    yield _refusals(result.refusal)
    expected = f"{result.expected_strangers:.2g}"
    among = (
        f"of the {measured.strangers:,} strangers measured against {measured.gallery_size:,} "
        f"people, {expected} would get through at such a rate"
    )
    if result.threshold.supported:
        yield f"Support: measured; {among}, at least 3 are needed to show it."
    else:
        yield (
            f"Support: EXTRAPOLATED; {among}, and at least 3 are needed to show it (rule of "
            f"three: what never happened in n trials may still happen 3 times in n). By itself "
            f"the data vouches for {result.supported_budget:.2g} wrong openings a month or more; "
            f"the rest follows from the tail of the highest scores."
        )
        yield (
            "Advice: ask for a second credential, a PIN or a pass, beside the face; or accept "
            "more wrong openings, or calibrate on more strangers."
        )
    yield (
        f"Data: {measured.source}. People of one estate resemble one another more, and cameras "
        f"at doors see less: take all of this as the favourable end."
    )


def _count(number: float, one: str, many: str = "") -> str:
    return f"{number:,g} {one if number == 1 else many or one + 's'}"


def _refusals(refusal: Refusal | None) -> str:
    if refusal is None:
        return "False refusals: this calibration has no scores of enrolled people."
    return (
        f"False refusals: {refusal.rate:.1%} of first attempts of enrolled people are expected "
        f"to fail (95% bounds {refusal.low:.1%} to {refusal.high:.1%}; "
        f"{_count(refusal.frames, 'frame')} a probe, {refusal.people:,} people measured); "
        f"further attempts see more frames and refuse fewer."
    )
