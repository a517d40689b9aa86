"""From an evaluation to the calibration file of its template space."""

import shlex

import numpy as np
from numpy.typing import NDArray

from face_engine.calibration import Calibration, RefusalCurve
from face_engine.encoder import fuse
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.bounds import bounded, draws
from face_engine.evaluation.evaluate import Evaluation, Options
from face_engine.evaluation.identification import Trial, cast, enroll, run_trial
from face_engine.evaluation.subjects import Mirror, portraits
from face_engine.evaluation.verification import threshold_at
from face_engine.faces import Vectors
from face_engine.score_curve import ScoreCurve, measure, measure_pairs, rounded

# Two strangers' photos pass as one person's in one enrollment of a thousand at most; photos of
# one sitting score far above this.
SAME_PERSON_FMR = 0.001
# Fewer strangers than this calibrate nothing a door should rely on.
LEAST_STRANGERS = 100
# Thresholds at which the false refusals are noted: below and beyond what any budget leads to.
_REFUSAL_THRESHOLDS = np.round(np.arange(0.3, 0.901, 0.02), 2)
# Doors fuse one frame or more; more than two leave a public set too few probes.
_REFUSAL_FRAMES = (1, 2)


def scores_between(vectors: Vectors) -> NDArray[np.float64]:
    """The cosines between all different rows of (N, d), each pair once."""
    rows, columns = np.triu_indices(len(vectors), k=1)
    return np.asarray((vectors @ vectors.T)[rows, columns], np.float64)


def refusal_curve(trial: Trial, frames: int) -> RefusalCurve:
    """FNIR of a trial's mated probes at fixed thresholds, with 95% bounds."""
    names, owner = np.unique(trial.mated_people, return_inverse=True)
    refused = trial.mated[:, None] < _REFUSAL_THRESHOLDS
    # Per person first: replicates then are one product of matrices.
    missed = np.zeros((len(names), len(_REFUSAL_THRESHOLDS)))
    np.add.at(missed, owner, refused)
    probes = np.bincount(owner)
    replicates = np.concatenate(
        [(drawn @ missed) / (drawn @ probes)[:, None] for drawn in draws(len(names))]
    )
    rates = [
        bounded(float(rate), column, len(names))
        for rate, column in zip(refused.mean(axis=0), replicates.T, strict=True)
    ]
    return RefusalCurve(
        frames=frames,
        people=len(names),
        thresholds=rounded(_REFUSAL_THRESHOLDS),
        rates=rounded([rate.value for rate in rates]),
        lows=rounded([rate.low for rate in rates]),
        # A rate that may be so high without one error is no lower with the first.
        highs=rounded(np.maximum.accumulate([rate.high for rate in rates])),
    )


def _refusals(evaluation: Evaluation) -> tuple[RefusalCurve, ...]:
    curves = []
    for frames in _REFUSAL_FRAMES:
        try:
            roles = cast(
                evaluation.subjects,
                gallery_photos=evaluation.options.gallery_photos,
                probe_frames=frames,
            )
        except EvaluationImpossible:
            break
        trial = run_trial(evaluation.subjects, roles, evaluation.options.mirror)
        curves.append(refusal_curve(trial, frames))
    return tuple(curves)


def strangers(evaluation: Evaluation) -> NDArray[np.float64]:
    """(P,) the best score of every person among everybody else's templates.

    A person's probe is fused from as many photos as the evaluation's probes are, or as there are:
    fused probes score higher with everybody. Whoever is in the gallery is left out of it for the
    own probe, so that people with several photos are strangers, too.
    """
    options = evaluation.options
    roles = cast(evaluation.subjects, gallery_photos=options.gallery_photos, probe_frames=1)
    templates = enroll(evaluation.subjects, roles, options.mirror)
    place = {row: number for number, (row, _) in enumerate(roles.enrolled)}
    best = []
    for row, subject in enumerate(evaluation.subjects):
        if not len(subject.plain):
            continue
        probe = fuse(subject.probe(slice(0, options.probe_frames), options.mirror))
        scores = templates @ probe
        if row in place:
            scores[place[row]] = -1
        best.append(float(scores.max()))
    return np.asarray(best)


def command_line(options: Options, pack: str, *more: str) -> str:
    """What made the file, with the folders' last names only: where they lay is nobody's matter."""
    words = ["gatehouse", "evaluate", "--images", options.images.name, "--pack", pack]
    if options.leave_out is not None:
        words += ["--leave-out", options.leave_out.name]
    return shlex.join([*words, *more, "FILE"])


def _between_templates(evaluation: Evaluation) -> ScoreCurve:
    options = evaluation.options
    roles = cast(
        evaluation.subjects,
        gallery_photos=options.gallery_photos,
        probe_frames=options.probe_frames,
    )
    templates = enroll(evaluation.subjects, roles, options.mirror)
    return measure_pairs(templates)


def calibrate(evaluation: Evaluation, *, source: str) -> Calibration:
    """The calibration that follows from an evaluation's strangers.

    Raises:
        EvaluationImpossible: there was no identification, or too few strangers.
    """
    trial = evaluation.trial
    if trial is None:
        raise EvaluationImpossible(f"a calibration needs an identification: {evaluation.note}")
    measured = strangers(evaluation)
    if len(measured) < LEAST_STRANGERS:
        raise EvaluationImpossible(
            f"a calibration needs at least {LEAST_STRANGERS} people; here are {len(measured)}",
        )
    mirrored = evaluation.options.mirror is not Mirror.NONE
    everybody = portraits(evaluation.subjects, mirrored=mirrored)
    return Calibration(
        template_space=evaluation.template_space,
        source=source,
        command=command_line(
            evaluation.options,
            evaluation.pack,
            *("--gallery-photos", str(evaluation.options.gallery_photos)),
            *("--probe-frames", str(evaluation.options.probe_frames)),
            *("--mirror", str(evaluation.options.mirror)),
            "--write-calibration",
        ),
        strangers=measure(measured, trial.gallery_size),
        templates=_between_templates(evaluation),
        same_person=round(threshold_at(scores_between(everybody), SAME_PERSON_FMR), 6),
        refusals=_refusals(evaluation),
    )
