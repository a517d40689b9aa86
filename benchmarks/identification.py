"""Who is known again, and who is taken for somebody: the evaluation's figures in one place.

They need photos of people, which do not come with the project: GATEHOUSE_EVALUATION names a folder
with `images` (one folder per person) and `pairs.txt`, as for `gatehouse evaluate`. Without it
nothing is measured here. What is encoded stays in the evaluation's cache.
"""

import os
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure
from face_engine.degradations import Degradation
from face_engine.evaluation.comparison import difference_at
from face_engine.evaluation.evaluate import Evaluation, Options, evaluate
from face_engine.models import DEFAULT_PACK, default_folder, load_pack

VARIABLE: Final = "GATEHOUSE_EVALUATION"
INTEGERS: Final = "opencv-zoo-int8"
WAYS: Final = ((1, 1), (3, 1), (3, 2))
"""Photos enrolled at most, and frames a probe."""
FPIRS: Final = (0.01, 0.003)


def run() -> list[Figure]:
    """Evaluate the default pack in each way and in bad conditions, the 8-bit one against it."""
    folder = os.environ.get(VARIABLE)
    if folder is None:
        print(f"  not measured: {VARIABLE} names no folder of photos")
        return []
    photos = Path(folder)
    floats = [_evaluated(DEFAULT_PACK, photos, *way) for way in WAYS[:-1]]
    floats.append(_evaluated(DEFAULT_PACK, photos, *WAYS[-1], degradations=tuple(Degradation)))
    integers = [_evaluated(INTEGERS, photos, *way) for way in WAYS]
    figures = [_accuracy(floats[0])]
    for one in floats:
        figures += [_fnir(one, fpir) for fpir in FPIRS]
    figures += _degraded(floats[-1])
    figures += [_loss(*both) for both in zip(integers, floats, strict=True)]
    return figures


def _evaluated(
    pack: str,
    photos: Path,
    gallery_photos: int,
    probe_frames: int,
    degradations: tuple[Degradation, ...] = (),
) -> Evaluation:
    return evaluate(
        load_pack(pack),
        Options(
            images=photos / "images",
            pairs=photos / "pairs.txt",
            gallery_photos=gallery_photos,
            probe_frames=probe_frames,
            degradations=degradations,
            cache=default_folder().parent / "evaluation",
        ),
    )


def _accuracy(evaluation: Evaluation) -> Figure:
    verification = evaluation.verification
    if verification is None:
        raise RuntimeError("a pair list was given, and no pairs were compared")
    rate = verification.accuracy
    return Figure(
        "pairs told right at the best threshold",
        100 * rate.value,
        "%",
        len(verification.same_scores) + len(verification.other_scores),
        note=f"95% bounds {rate.low:.2%} to {rate.high:.2%}",
    )


def _fnir(evaluation: Evaluation, fpir: float) -> Figure:
    trial = evaluation.trial
    if trial is None:
        raise RuntimeError(evaluation.note)
    rate = next(row.fnir for row in evaluation.identification if row.fpir == fpir)
    return Figure(
        f"FNIR at FPIR {fpir:.1%}, {_way(evaluation)}",
        100 * rate.value,
        "%",
        len(trial.mated),
        note=f"95% bounds {rate.low:.2%} to {rate.high:.2%}; {trial.gallery_size} people enrolled",
    )


def _degraded(evaluation: Evaluation) -> list[Figure]:
    """Refused in bad conditions: not acquired, or not found; with the doors' gate and without."""
    if evaluation.trial is None:
        raise RuntimeError(evaluation.note)
    figures = []
    for result in evaluation.degraded:
        gated, bare, change = next(
            (row, other, difference)
            for row, other, difference in zip(
                result.with_gate.rows,
                result.without_gate.rows,
                result.refused_differences,
                strict=True,
            )
            if row.fpir == FPIRS[0]
        )
        bounds = f"{100 * change.low:+.2f} to {100 * change.high:+.2f}"
        figures.append(
            Figure(
                f"refused at FPIR {FPIRS[0]:.1%}, {result.name}, {_way(evaluation)}",
                100 * gated.refused.value,
                "%",
                len(evaluation.trial.mated),
                reference="without the quality gate",
                reference_median=100 * bare.refused.value,
                note=f"difference {100 * change.value:+.2f} points, 95% bounds {bounds}",
            )
        )
    return figures


def _loss(integers: Evaluation, floats: Evaluation) -> Figure:
    if integers.trial is None or floats.trial is None:
        raise RuntimeError(floats.note)
    found = difference_at(integers.trial, floats.trial, FPIRS[0])
    change = found.difference
    bounds = f"{100 * change.low:+.2f} to {100 * change.high:+.2f}"
    significant = "significant" if found.significant else "not significant"
    return Figure(
        f"FNIR at FPIR {FPIRS[0]:.1%} in 8-bit integers, {_way(floats)}",
        100 * found.fnir,
        "%",
        len(floats.trial.mated),
        reference="in floats",
        reference_median=100 * found.against,
        note=f"difference {100 * change.value:+.2f} points, 95% bounds {bounds}: {significant}",
    )


def _way(evaluation: Evaluation) -> str:
    photos, frames = evaluation.options.gallery_photos, evaluation.options.probe_frames
    upto = "1 photo" if photos == 1 else f"up to {photos} photos"
    return f"{upto}, {frames} frame{'s' * (frames > 1)}"
