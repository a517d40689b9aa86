"""From an evaluation to the middle by which a template space is centred."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from face_engine.centring import Middle, middle_of
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.calibrating import command_line
from face_engine.evaluation.evaluate import Evaluation
from face_engine.evaluation.groups import NO_GROUP, read_groups
from face_engine.faces import Vectors

LEAST_PEOPLE: Final = 1000
"""Without groups; the mean of so many people is off by a tenth of its own length at most."""


def find_middle(evaluation: Evaluation, *, source: str, groups: Path | None = None) -> Middle:
    """The middle of an evaluation's people, whose vectors must be the network's own.

    Where groups are named, it is the mean of their middles, and who is in none does not count.
    Seen from the middle of a majority, a minority stands close together and is mistaken for one
    another; seen from the minority's, the majority loses little (`docs/face-engine.md`).

    Raises:
        EvaluationImpossible: too few people; or as in `read_groups`.
    """
    subjects = evaluation.subjects
    everybody = [subject.plain for subject in subjects if len(subject.plain)]
    if groups is None:
        if len(everybody) < LEAST_PEOPLE:
            raise EvaluationImpossible(f"a middle needs at least {LEAST_PEOPLE} people")
        return _middle(evaluation, source, [everybody], ())
    members = [
        [subject.plain for subject, one in zip(subjects, flags, strict=True) if one]
        for name, flags in read_groups(groups, subjects).items()
        if name != NO_GROUP
    ]
    return _middle(evaluation, source, members, ("--groups", groups.name))


def _middle(
    evaluation: Evaluation,
    source: str,
    groups: Sequence[Sequence[Vectors]],
    options: tuple[str, ...],
) -> Middle:
    middles = np.stack([middle_of(people) for people in groups])
    return Middle(
        source=source,
        command=command_line(evaluation.options, evaluation.pack, *options, "--write-middle"),
        people=sum(map(len, groups)),
        vector=np.asarray(middles.mean(axis=0), np.float32),
    )
