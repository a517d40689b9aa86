"""The comparison of two configurations, or of two packs, as plain values."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.comparison import Configuration, Difference, compare, difference_at
from face_engine.evaluation.evaluate import Evaluation
from face_engine.evaluation.identification import FPIRS


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
        "rows": _rows(compare(evaluation.subjects, own, against)),
    }


def report_packs(evaluation: Evaluation, other: Evaluation) -> dict[str, Any]:
    """One pack against another, with the same options: `pack`, `against`, `rows` as above.

    Raises:
        EvaluationImpossible: the photos allow no identification.
    """
    first, second = evaluation.trial, other.trial
    if first is None or second is None:
        raise EvaluationImpossible(f"packs are compared by identification: {evaluation.note}")
    return {
        "pack": evaluation.pack,
        "against": other.pack,
        "rows": _rows(difference_at(first, second, fpir) for fpir in FPIRS),
    }


def _rows(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    return [asdict(row) | {"significant": row.significant} for row in differences]
