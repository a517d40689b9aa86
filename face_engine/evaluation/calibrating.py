"""From an evaluation to the calibration file of its template space."""

import shlex

import numpy as np
from numpy.typing import NDArray

from face_engine.calibration import Calibration, make
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.evaluate import Evaluation, Options
from face_engine.evaluation.verification import threshold_at
from face_engine.faces import Vectors

# Two strangers' photos pass as one person's in one enrollment of a thousand at most; photos of
# one sitting score far above this.
SAME_PERSON_FMR = 0.001
# Fewer strangers than this calibrate nothing a door should rely on.
LEAST_STRANGERS = 100


def scores_between(portraits: Vectors) -> NDArray[np.float64]:
    """The cosines between all different rows of (N, d), each pair once."""
    rows, columns = np.triu_indices(len(portraits), k=1)
    return np.asarray((portraits @ portraits.T)[rows, columns], np.float64)


def _command(options: Options, pack: str) -> str:
    """What made the file, with the folders' last names only: where they lay is nobody's matter."""
    words = ["gatehouse", "evaluate", "--images", options.images.name, "--pack", pack]
    words += ["--gallery-photos", str(options.gallery_photos)]
    words += ["--probe-frames", str(options.probe_frames), "--mirror", str(options.mirror)]
    return shlex.join([*words, "--write-calibration", "FILE"])


def calibrate(evaluation: Evaluation, *, source: str) -> Calibration:
    """The calibration that follows from an evaluation's strangers.

    Raises:
        EvaluationImpossible: there was no identification, or too few strangers.
    """
    trial = evaluation.trial
    if trial is None or len(trial.non_mated) < LEAST_STRANGERS:
        raise EvaluationImpossible(
            f"a calibration needs at least {LEAST_STRANGERS} people with exactly one photo, "
            "and others with several",
        )
    return make(
        template_space=evaluation.template_space,
        source=source,
        command=_command(evaluation.options, evaluation.pack),
        gallery_size=trial.gallery_size,
        strangers=trial.non_mated,
        same_person=round(
            threshold_at(scores_between(evaluation.portraits), SAME_PERSON_FMR),
            6,
        ),
    )
