import numpy as np
import pytest

from face_engine.encoder import normalise
from face_engine.evaluation.comparison import Configuration, compare
from face_engine.evaluation.subjects import Mirror, Subject

ONE = Configuration(1, 1, Mirror.NONE)
THREE = Configuration(3, 1, Mirror.NONE)


def people(noise: float) -> list[Subject]:
    """120 people with five photos each, 80 with one."""
    source = np.random.default_rng(0)
    subjects = []
    for number in range(200):
        photos = 5 if number < 120 else 1
        shots = source.standard_normal(40) + noise * source.standard_normal((photos, 40))
        rows = normalise(shots)
        subjects.append(Subject(str(number), rows, rows, np.ones(photos, np.float32)))
    return subjects


def test_more_enrolled_photos_refuse_less_for_certain() -> None:
    (row,) = compare(people(1.0), THREE, ONE, fpirs=[0.05])
    assert row.fnir < row.against
    assert row.difference.value == pytest.approx(row.fnir - row.against)
    assert row.difference.high < 0
    assert row.significant


def test_the_other_way_round_is_the_same_difference_turned() -> None:
    (row,) = compare(people(1.0), THREE, ONE, fpirs=[0.05])
    (turned,) = compare(people(1.0), ONE, THREE, fpirs=[0.05])
    assert turned.difference.value == -row.difference.value
    assert turned.difference.low == pytest.approx(-row.difference.high)


def test_a_configuration_does_not_differ_from_itself() -> None:
    (row,) = compare(people(1.0), ONE, ONE, fpirs=[0.05])
    assert row.difference.value == 0
    assert row.difference.low == 0
    assert not row.significant


def test_two_without_any_error_may_still_differ_either_way() -> None:
    (row,) = compare(people(0.1), THREE, ONE, fpirs=[0.05])
    assert row.fnir == row.against == 0
    assert row.difference.low == -row.difference.high < 0
    assert not row.significant


def test_both_are_probed_with_the_same_photos() -> None:
    (row,) = compare(people(1.0), Configuration(2, 2, Mirror.NONE), ONE, fpirs=[0.05])
    # Photos 3 and 4 of five: the fifth makes no pair of frames.
    (shorter,) = compare(
        [
            Subject(each.name, each.plain[:4], each.mirrored[:4], each.quality[:4])
            for each in people(1.0)
        ],
        Configuration(2, 2, Mirror.NONE),
        ONE,
        fpirs=[0.05],
    )
    assert (row.fnir, row.against) == (shorter.fnir, shorter.against)
    assert row.fnir < row.against


def test_no_error_among_few_people_is_no_proof() -> None:
    few = people(0.62)
    (row,) = compare(few, THREE, ONE, fpirs=[0.3])
    assert row.fnir == 0
    assert row.difference.high > -row.against / 2
