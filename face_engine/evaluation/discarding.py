"""Does the quality score know which probes will fail? Error versus discard.

The probes of the lowest quality are left out, more and more of them, at one threshold. If quality
predicts matching, the errors go first. P. Grother, E. Tabassi, "Performance of biometric quality
measures", IEEE Transactions on Pattern Analysis and Machine Intelligence 29 (2007); ISO/IEC
29794-1 calls it the error versus discard characteristic.
"""

from dataclasses import dataclass

import numpy as np

from face_engine.evaluation.bounds import Bounded, share
from face_engine.evaluation.identification import Trial
from face_engine.evaluation.verification import threshold_at

DISCARDS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
# At the threshold of this FPIR, where a public set has errors enough to see them go.
FPIR = 0.01


@dataclass(frozen=True, slots=True)
class DiscardPoint:
    """One share left out.

    Attributes:
        discard: share of the mated probes, those of the lowest quality.
        quality: the lowest quality that is kept.
        errors_caught: share of all refused probes that are among those left out; None when
            there are none. A quality that knows nothing catches `discard` of them.
        fnir: of the probes that are kept.
    """

    discard: float
    quality: float
    errors_caught: float | None
    fnir: Bounded


def error_versus_discard(trial: Trial) -> list[DiscardPoint]:
    """FNIR at the threshold of `FPIR` among the probes that are kept, per share left out."""
    refused = trial.mated < threshold_at(trial.non_mated, FPIR)
    order = np.argsort(trial.mated_quality, kind="stable")
    people = int(trial.mated_people.max()) + 1
    points = []
    for discard in DISCARDS:
        kept = order[int(discard * len(order)) :]
        owners = trial.mated_people[kept]
        fnir = share(
            np.bincount(owners, weights=refused[kept], minlength=people).astype(np.float64),
            np.bincount(owners, minlength=people).astype(np.float64),
        )
        if fnir is None:
            break
        points.append(
            DiscardPoint(
                discard=discard,
                quality=float(trial.mated_quality[kept[0]]),
                errors_caught=1 - float(refused[kept].sum() / refused.sum())
                if refused.any()
                else None,
                fnir=fnir,
            ),
        )
    return points
