"""Curves of an evaluation, in the terms of ISO/IEC 19795: DET, and FNIR over FPIR."""

import importlib.util
from pathlib import Path

import numpy as np

from face_engine.evaluation import Evaluation
from face_engine.evaluation.identification import Trial
from face_engine.evaluation.verification import Scores, Verification, trade_off

FORMATS = (".pdf", ".png", ".svg")
MISSING = (
    "Plots need the Python package 'matplotlib', which is not installed here: "
    "pip install 'gatehouse-access[evaluation]'"
)


def available() -> bool:
    """Whether anything can be drawn here."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(evaluation: Evaluation, file: Path) -> None:
    """Draw what was measured, 1:1 at the left, 1:N at the right, into a file of `FORMATS`.

    Both axes are logarithmic, so a rate of zero is not on them: a curve ends where the data does.
    """
    from matplotlib.axes import Axes  # noqa: PLC0415 — an extra that only plots need
    from matplotlib.figure import Figure  # noqa: PLC0415 — the same

    def prepare(axes: Axes, title: str, false: str, missed: str) -> None:
        axes.set(title=title, xlabel=false, ylabel=missed, xscale="log", yscale="log")
        axes.grid(visible=True, which="both", alpha=0.3)

    def curve(axes: Axes, false_scores: Scores, true_scores: Scores) -> None:
        false, missed = trade_off(false_scores, true_scores)
        axes.step(false, np.where(missed > 0, missed, np.nan), where="post")

    def draw_pairs(axes: Axes, verification: Verification) -> None:
        pairs = len(verification.same_scores), len(verification.other_scores)
        title = f"Verification (DET): {pairs[0]:,} matched, {pairs[1]:,} mismatched pairs"
        prepare(axes, title, "false match rate (FMR)", "false non-match rate (FNMR)")
        curve(axes, verification.other_scores, verification.same_scores)

    def draw_trial(axes: Axes, trial: Trial) -> None:
        title = f"Open-set identification, N = {trial.gallery_size:,}"
        prepare(
            axes,
            title,
            "false positive identification rate (FPIR)",
            "false negative identification rate (FNIR)",
        )
        curve(axes, trial.non_mated, trial.mated)
        rows = evaluation.identification
        rates = np.array([row.fnir.value for row in rows])
        below = rates - [row.fnir.low for row in rows]
        above = [row.fnir.high for row in rows] - rates
        axes.errorbar(
            [row.fpir for row in rows],
            rates,
            yerr=np.maximum((below, above), 0),
            fmt="o",
            capsize=3,
            label="95% bounds, by resampling people",
        )
        axes.legend()

    parts = [part for part in (evaluation.verification, evaluation.trial) if part is not None]
    figure = Figure(figsize=(6.5 * len(parts), 5), layout="constrained")
    for number, part in enumerate(parts, start=1):
        axes = figure.add_subplot(1, len(parts), number)
        if isinstance(part, Trial):
            draw_trial(axes, part)
        else:
            draw_pairs(axes, part)
    options = evaluation.options
    figure.suptitle(
        f"{evaluation.pack}: {options.gallery_photos} photos enrolled at most, "
        f"{options.probe_frames} frame(s) a probe, {evaluation.people:,} people",
    )
    figure.savefig(file)
