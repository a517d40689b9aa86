"""The groups of an evaluation as plain values."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from face_engine.evaluation.evaluate import Evaluation
from face_engine.evaluation.groups import NO_GROUP, compare_groups, read_groups
from face_engine.evaluation.self_calibration import public_calibration, simulate


def report_groups(
    evaluation: Evaluation,
    file: Path,
    *,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Each group's errors at everybody's thresholds, and what calibrations would have kept.

    Rates are `{"value", "low", "high"}`, shares with 95% bounds, or null. `self_calibration`
    holds one row per FPIR `asked`: for `public`, `own` and `cautious` the FPIR
    and FNIR that came of it.

    Raises:
        EvaluationImpossible: as in `read_groups`.
    """
    groups = read_groups(file, evaluation.subjects)
    options = evaluation.options
    rows = []
    results = compare_groups(evaluation.subjects, groups, evaluation.trial)
    for result in tqdm(results, desc="groups", unit="group", disable=not progress, leave=False):
        flags = groups[result.name]
        usable = np.array([len(subject.plain) > 0 for subject in evaluation.subjects])
        # Those of no group are the public themselves.
        outside = usable & (flags if result.name == NO_GROUP else ~flags)
        simulated = []
        if outside.any():
            public = public_calibration(
                [evaluation.subjects[row] for row in np.flatnonzero(outside).tolist()],
                gallery_photos=options.gallery_photos,
                mirror=options.mirror,
            )
            simulated = simulate(
                [evaluation.subjects[row] for row in np.flatnonzero(flags).tolist()],
                public,
                gallery_photos=options.gallery_photos,
                mirror=options.mirror,
            )
        rows.append(asdict(result) | {"self_calibration": [asdict(each) for each in simulated]})
    return rows
