"""The comparison of two configurations as plain values."""

from dataclasses import asdict
from typing import Any

from face_engine.evaluation.comparison import Configuration, compare
from face_engine.evaluation.evaluate import Evaluation


def report_comparison(evaluation: Evaluation, against: Configuration) -> dict[str, Any]:
    """The evaluation's own configuration against another, on the same people.

    `rows` hold `fpir`, `fnir`, `against`, `difference` (`{"value", "low", "high"}`, shares, 95%
    bounds) and `significant`.

    Raises:
        EvaluationImpossible: the photos allow no identification.
    """
    options = evaluation.options
    own = Configuration(options.gallery_photos, options.probe_frames, options.mirror)
    return {
        "configuration": asdict(own),
        "against": asdict(against),
        "rows": [
            asdict(row) | {"significant": row.significant}
            for row in compare(evaluation.subjects, own, against)
        ],
    }
