"""Are some groups of people told apart less well than everybody together?

A group's share of errors is read at the thresholds that everybody's scores give. All bounds are
by resampling people, never scores: a group of some dozens has thousands of pairs, and still says
no more than some dozens of people can.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.bounds import Bounded, bounded, draws, share
from face_engine.evaluation.identification import Trial
from face_engine.evaluation.subjects import Subject, portraits
from face_engine.evaluation.verification import threshold_at
from face_engine.faces import Vectors

# FMRs and FPIRs whose thresholds, from everybody, the groups are held against.
FMRS = (0.01, 0.001)
FPIRS = (0.1, 0.03, 0.01)
# Fewer people than this are no group to speak of.
LEAST_PEOPLE = 20
NO_GROUP = "(no group)"

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One threshold of everybody's, and a group's errors there.

    Attributes:
        asked: the false rate (FMR or FPIR) that everybody has at the threshold, at most.
        threshold: that threshold.
        false: the group's own false rate; None where it has nobody to measure it on.
        missed: the group's FNMR or FNIR; None as before.
    """

    asked: float
    threshold: float
    false: Bounded | None
    missed: Bounded | None


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How one group fares.

    Attributes:
        name: of the group.
        people: members with a usable photo.
        enrolled: members in the gallery of the identification.
        verification: 1:1, between one photo of each member (false) and between photos of one
            member (missed).
        identification: 1:N in the gallery of everybody: members who are not enrolled and find
            somebody (false), enrolled members not found (missed).
    """

    name: str
    people: int
    enrolled: int
    verification: tuple[GroupRow, ...]
    identification: tuple[GroupRow, ...]


def read_groups(file: Path, subjects: Sequence[Subject]) -> dict[str, Flags]:
    """Each group's members among the subjects, from a CSV file with the header `person,group`.

    Further columns are ignored; a person may be in several groups or in none; names without a
    folder are passed over. The people of no group follow as `(no group)`, when there are enough.

    Raises:
        EvaluationImpossible: the file cannot be read, lacks a column, or names too few people.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as broken:
        raise EvaluationImpossible(f"{file} cannot be read: {broken}") from broken
    place = {subject.name: row for row, subject in enumerate(subjects) if len(subject.plain)}
    groups: dict[str, Flags] = {}
    for row in rows:
        person, group = row.get("person"), row.get("group")
        if person is None or group is None:
            raise EvaluationImpossible(f"{file} needs the columns 'person' and 'group'")
        if person.strip() in place:
            members = groups.setdefault(group.strip(), np.zeros(len(subjects), bool))
            members[place[person.strip()]] = True
    groups = {name: flags for name, flags in sorted(groups.items()) if flags.sum() >= LEAST_PEOPLE}
    if not groups:
        raise EvaluationImpossible(
            f"{file} names no group of at least {LEAST_PEOPLE} people who have a folder of photos",
        )
    others = np.zeros(len(subjects), bool)
    others[list(place.values())] = True
    for flags in groups.values():
        others &= ~flags
    return groups | ({NO_GROUP: others} if others.sum() >= LEAST_PEOPLE else {})


def false_matches(vectors: Vectors, threshold: float) -> Bounded:
    """FMR between all (N, d) vectors of different people; a pair weighs as its people meet."""
    # 32 bits count exactly up to 16 million pairs, and take half as long.
    hits = (vectors @ vectors.T >= threshold).astype(np.float32)
    np.fill_diagonal(hits, 0)
    count = len(vectors)
    replicates = []
    for drawn in draws(count):
        weights = drawn.astype(np.float32)
        # One person drawn twice is no pair of different people.
        pairs = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
        replicates.append(np.einsum("rn,rn->r", weights @ hits, weights) / pairs)
    return bounded(
        float(hits.sum(dtype=np.float64) / (count * (count - 1))),
        np.concatenate(replicates).astype(np.float64),
        count,
    )


def _false_non_matches(members: Sequence[Subject], threshold: float) -> Bounded | None:
    """FNMR between the first photo of a member and each further one; all members weigh alike."""
    several = [subject.plain for subject in members if len(subject.plain) > 1]
    shares = np.array([np.mean(plain[1:] @ plain[0] < threshold) for plain in several])
    return share(shares, np.ones(len(shares)))


def _per_person(people: NDArray[np.int64], flags: Flags, count: int) -> NDArray[np.float64]:
    return np.bincount(people, weights=flags, minlength=count).astype(np.float64)


def _identification_row(trial: Trial, members: Flags, fpir: float) -> GroupRow:
    threshold = threshold_at(trial.non_mated, fpir)
    count = len(members)

    def rate(people: NDArray[np.int64], events: Flags) -> Bounded | None:
        inside = members[people]
        everyone = np.ones(len(people), bool)
        return share(
            _per_person(people[inside], events[inside], count),
            _per_person(people[inside], everyone[inside], count),
        )

    return GroupRow(
        asked=fpir,
        threshold=threshold,
        false=rate(trial.non_mated_people, trial.non_mated >= threshold),
        missed=rate(trial.mated_people, trial.mated < threshold),
    )


def compare_groups(
    subjects: Sequence[Subject],
    groups: dict[str, Flags],
    trial: Trial | None,
) -> list[GroupResult]:
    """Every group's errors at everybody's thresholds."""
    everybody = portraits(subjects)
    scores = (everybody @ everybody.T)[np.triu_indices(len(everybody), k=1)].astype(np.float64)
    thresholds = {fmr: threshold_at(scores, fmr) for fmr in FMRS}
    results = []
    for name, flags in groups.items():
        members = [subjects[row] for row in np.flatnonzero(flags).tolist()]
        vectors = portraits(members)
        results.append(
            GroupResult(
                name=name,
                people=len(members),
                enrolled=0 if trial is None else int(flags[np.unique(trial.mated_people)].sum()),
                verification=tuple(
                    GroupRow(
                        asked=fmr,
                        threshold=threshold,
                        false=false_matches(vectors, threshold),
                        missed=_false_non_matches(members, threshold),
                    )
                    for fmr, threshold in thresholds.items()
                ),
                identification=()
                if trial is None
                else tuple(_identification_row(trial, flags, fpir) for fpir in FPIRS),
            ),
        )
    return results
