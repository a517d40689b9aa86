import numpy as np
import pytest

from face_engine.encoder import normalise
from face_engine.errors import EvaluationImpossible
from face_engine.evaluation.bounds import bounded
from face_engine.evaluation.calibrating import refusal_curve
from face_engine.evaluation.identification import Trial, cast, identify, run_trial
from face_engine.evaluation.subjects import Mirror, Subject
from face_engine.evaluation.verification import (
    best_threshold,
    det_curve,
    threshold_at,
    trade_off,
    verify_pairs,
)


def test_doors_see_every_second_frame_of_a_probe_mirrored_and_no_single_one() -> None:
    plain, mirrored = np.eye(4, 8, dtype=np.float32), np.eye(4, 8, k=4, dtype=np.float32)
    subject = Subject("one", plain, mirrored, np.ones(4, np.float32))
    seen = subject.probe(slice(1, 4), Mirror.ALTERNATE)
    np.testing.assert_array_equal(seen, [plain[1], mirrored[2], plain[3]])
    np.testing.assert_array_equal(subject.probe(slice(0, 1), Mirror.ALTERNATE), plain[:1])
    np.testing.assert_array_equal(subject.probe(slice(0, 2), Mirror.GALLERY), plain[:2])
    assert len(subject.probe(slice(0, 2), Mirror.BOTH)) == 4


def test_the_threshold_lets_at_most_the_asked_share_through() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (scores >= threshold_at(scores, 0.4)).sum() == 2
    assert (scores >= threshold_at(scores, 0.59)).sum() == 2
    assert (scores >= threshold_at(scores, 0)).sum() == 0
    assert (np.array([0.5, 0.5, 0.1]) >= threshold_at(np.array([0.5, 0.5, 0.1]), 0.34)).sum() == 0


def test_the_best_threshold_tells_the_most_pairs_right() -> None:
    scores = np.array([0.9, 0.8, 0.3, 0.6, 0.2, 0.1])
    same = np.array([True, True, True, False, False, False])
    threshold, accuracy = best_threshold(scores, same)
    assert accuracy == pytest.approx(5 / 6)
    assert np.mean((scores >= threshold) == same) == pytest.approx(accuracy)


def test_equal_scores_are_never_split() -> None:
    scores = np.full(4, 0.5)
    same = np.array([True, True, False, False])
    threshold, accuracy = best_threshold(scores, same)
    assert accuracy == 0.5
    assert np.mean((scores >= threshold) == same) == 0.5


def test_det_points_are_only_those_the_data_can_show() -> None:
    points = det_curve(np.array([0.9, 0.2]), np.linspace(0, 0.5, 200), np.array([0, 1]))
    assert [round(point.fmr, 3) for point in points] == [0.1, 0.01]
    assert all(point.fnmr.value == 0.5 for point in points)


def test_bounds_lie_around_the_rate_and_narrow_with_more_people() -> None:
    source = np.random.default_rng(0)
    widths = []
    for people in (60, 960):
        same = np.arange(people * 2) < people
        scores = np.where(same, 0.6, 0.2) + source.normal(0, 0.15, people * 2)
        sides = np.stack(
            [np.arange(people * 2) % people, (np.arange(people * 2) + ~same) % people], 1
        )
        result = verify_pairs(scores, same, sides, np.zeros(people * 2, np.int64))
        assert result.accuracy.low <= result.accuracy.value <= result.accuracy.high
        widths.append(result.accuracy.high - result.accuracy.low)
    assert widths[1] < widths[0] / 2


def test_folds_are_judged_at_the_others_threshold() -> None:
    scores = np.array([0.9, 0.1, 0.8, 0.2, 0.3, 0.7])
    same = np.array([True, False, True, False, True, False])
    people = np.arange(12).reshape(6, 2)
    result = verify_pairs(scores, same, people, np.array([0, 0, 1, 1, 2, 2]))
    assert result.fold_accuracy == pytest.approx(2 / 3)


def test_no_error_among_n_people_is_bounded_by_about_4_over_n() -> None:
    rate = bounded(0.0, np.zeros(100), subjects=400)
    assert (rate.low, rate.value) == (0, 0)
    assert rate.high == pytest.approx(3.69 / 400, rel=0.01)
    assert bounded(1.0, np.ones(100), subjects=400).low == pytest.approx(1 - 3.69 / 400, rel=0.001)


def people_on_axes(counts: list[int]) -> list[np.ndarray]:
    """Everybody looks like an axis of their own, alike in all photos."""
    axes = np.eye(len(counts), dtype=np.float32)
    return [np.repeat(axes[i : i + 1], count, axis=0) for i, count in enumerate(counts)]


def trial_of(vectors: list[np.ndarray], gallery_photos: int, probe_frames: int) -> Trial:
    subjects = [
        Subject(str(i), rows, rows, np.ones(len(rows), np.float32))
        for i, rows in enumerate(vectors)
    ]
    roles = cast(subjects, gallery_photos=gallery_photos, probe_frames=probe_frames)
    return run_trial(subjects, roles, Mirror.NONE)


def test_the_protocol_splits_people_as_it_says() -> None:
    vectors = people_on_axes([6, 2, 1, 1, 3])
    trial = trial_of(vectors, 3, 1)
    assert trial.gallery_size == 3
    assert list(trial.mated_people) == [0, 0, 0, 1, 4]
    assert list(trial.non_mated_people) == [2, 3]
    assert len(trial.non_mated) == 2
    np.testing.assert_allclose(trial.mated, 1, atol=1e-6)
    np.testing.assert_allclose(trial.non_mated, 0, atol=1e-6)
    assert list(trial_of(vectors, 3, 2).mated_people) == [0]
    assert list(trial_of(vectors, 1, 2).mated_people) == [0, 0, 4]


def test_somebody_elses_better_score_is_a_miss_at_any_threshold() -> None:
    first = normalise(np.array([[1, 0.0], [0.2, 1.0]]))
    second = normalise(np.array([[0, 1.0], [0, 1.0]]))
    trial = trial_of([first, second, normalise(np.array([[-1.0, -1.0]]))], 1, 1)
    assert trial.mated[0] == -1
    assert identify(trial, [0.5])[0].fnir.value == 0.5


def test_fnir_is_read_at_the_strangers_threshold() -> None:
    trial = Trial(
        gallery_size=10,
        mated=np.linspace(0.2, 0.9, 71),
        mated_people=np.arange(71),
        mated_quality=np.ones(71),
        non_mated=np.linspace(0, 0.5, 101),
        non_mated_people=np.arange(101),
    )
    (row,) = identify(trial, [0.1])
    assert row.threshold == pytest.approx(0.45)
    assert row.fnir.value == pytest.approx(26 / 71)
    assert row.fnir.low < row.fnir.value < row.fnir.high
    assert row.supported
    assert not identify(trial, [0.01])[0].supported


def test_photos_that_allow_no_identification_are_told() -> None:
    with pytest.raises(EvaluationImpossible, match="exactly one"):
        trial_of(people_on_axes([2, 2]), 1, 1)
    with pytest.raises(EvaluationImpossible, match="several photos"):
        trial_of(people_on_axes([1, 1]), 1, 1)


def test_refusals_rise_with_the_threshold_and_their_bounds_lie_around_them() -> None:
    trial = Trial(
        gallery_size=40,
        mated=np.linspace(0.4, 0.8, 80),
        mated_people=np.repeat(np.arange(40), 2),
        mated_quality=np.ones(80),
        non_mated=np.zeros(3),
        non_mated_people=np.arange(3),
    )
    curve = refusal_curve(trial, frames=2)
    assert list(curve.rates) == sorted(curve.rates)
    assert list(curve.highs) == sorted(curve.highs)
    assert (curve.rates[0], curve.rates[-1]) == (0, 1)
    assert (curve.highs[0], curve.lows[-1]) != (0, 1)
    middle = curve.at(0.6)
    assert middle.rate == pytest.approx(0.5, abs=0.03)
    assert middle.low < middle.rate < middle.high
    assert (middle.frames, middle.people) == (2, 40)


def test_a_curve_passes_through_the_points_of_the_tables() -> None:
    false_scores, true_scores = np.array([0.1, 0.3, 0.2]), np.array([0.05, 0.15, 0.25, 0.35])
    false, missed = trade_off(false_scores, true_scores)
    np.testing.assert_allclose(false, [1 / 3, 2 / 3])
    for rate, share_missed in zip(false, missed, strict=True):
        assert np.mean(true_scores < threshold_at(false_scores, rate)) == share_missed
