"""`gatehouse threshold`: what an error budget asks of the doors, on one screen."""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import click

from face_engine import calibration
from face_engine.calibration import Calibration, Refusal
from face_engine.error_budget import ATTEMPTS, ErrorBudget, Explanation, explain
from face_engine.errors import FaceEngineError
from face_engine.models.registry import OPENCV_ZOO

_BASES = {
    "public": "set by public photos.",
    "people": "set by the scores between the estate's own {people:,} people, who are more alike "
    "than the public's.",
    "sightings": "set by {sightings:,} sightings at this door, where people are harder to tell "
    "apart than in the public's photos.",
}
_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command()
@click.option("--people", type=click.IntRange(min=1), help="Enrolled faces.")
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
@click.option(
    "--server",
    metavar="URL",
    help="Show a running server's doors instead: each with what was measured there.",
)
@click.option(
    "--authority",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --server: its certificate authority, `ca.pem` in the server's data folder.",
)
@click.option("--username", help="With --server: a member of staff.")
@click.option(
    "--password",
    envvar="GATEHOUSE_STAFF_PASSWORD",
    help="With --server [default: asked for, or the variable GATEHOUSE_STAFF_PASSWORD].",
)
@click.option("--verbose", is_flag=True, help="Show the threshold itself, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def threshold(
    *,
    people: int | None,
    wrong_openings: float,
    strangers: float,
    attempts: int,
    frames: int,
    file: Path | None,
    server: str | None,
    authority: Path | None,
    username: str | None,
    password: str | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Explain an error budget: what it asks, what it costs, and whether the data carries it.

    The servers reckon with the same code; with --server they also say what their own people and
    doors add to the public data.
    """
    if server is not None:
        _show_server(_ask(server, authority, username, password), as_json=as_json)
        return
    if people is None:
        raise click.UsageError("Give --people, or --server for those of a running server.")
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


def _ask(
    server: str, authority: Path | None, username: str | None, password: str | None
) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 -- of an extra that explaining a budget does not need

    from gatehouse.staff_client import StaffCallFailed, StaffClient  # noqa: PLC0415 -- uses httpx

    if authority is None or username is None:
        raise click.UsageError("--server needs --authority and --username.")
    if password is None:
        password = click.prompt("Password", hide_input=True)
    try:
        pem = authority.read_text("ascii")
        with StaffClient.connect(server, authority_pem=pem) as staff:
            staff.sign_in(username, password)
            return cast("dict[str, Any]", staff.call("GET", "thresholds"))
    except (OSError, ValueError, httpx.HTTPError, StaffCallFailed) as failed:
        raise click.ClickException(f"{server} does not say: {failed}") from failed


def _show_server(estate: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(estate))
        return
    click.echo(
        textwrap.fill(
            f"Budget: {_count(estate['wrong_openings_per_month'], 'wrong opening')} a month, "
            f"{_count(estate['strangers_per_day'], 'sighting')} of strangers a day; "
            f"{_count(estate['faces'], 'face')} enrolled.",
            88,
            subsequent_indent="  ",
        )
    )
    for door in estate["doors"]:
        click.echo(textwrap.fill(" ".join(_of_door(door)), 88, subsequent_indent="  "))


def _of_door(door: dict[str, Any]) -> Iterator[str]:
    yield f"{door['name']}: {_BASES[door['basis']].format(**door)}"
    if door["basis"] == "public" and (door["people"] or door["sightings"]):
        yield (
            f"What was measured here ({door['people']:,} people, {door['sightings']:,} sightings) "
            f"asks for nothing stricter."
        )
    if door["refused"] is not None:
        yield f"Expected false refusals: {door['refused']:.1%} of first attempts."
    if door["supported"]:
        yield "Support: measured."
    else:
        yield (
            f"Support: EXTRAPOLATED; the data vouches for {door['supported_budget']:.2g} wrong "
            f"openings a month or more."
        )
        yield (
            "A second credential is asked for beside the face."
            if door["second"]
            else "Advice: ask for a second credential beside the face at this door."
        )
    if door["doubles"]:
        yield "Some people are so alike that they may be enrolled twice: look for double entries."


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
        "fpir_per_sighting": budget.fpir * budget.together,
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
    per_sighting = budget.fpir * budget.together
    yield (
        f"Budget: {_count(budget.wrong_openings_per_month, 'wrong opening')} a month, "
        f"{_count(budget.strangers_per_day, 'sighting')} of strangers a day, "
        f"{_count(budget.attempts, 'attempt')} each, which count as {budget.together:g}."
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
        f"of the {measured.strangers.count:,} strangers measured against "
        f"{measured.strangers.gallery_size:,} people, {expected} would get through at such a rate"
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
        f"at doors see less: take all of this as the favourable end. A server goes on from here "
        f"with its own people's and doors' scores (--server)."
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
