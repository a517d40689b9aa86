"""1:1 measures of scored pairs, in the terms of ISO/IEC 19795-1: FMR, FNMR, DET."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from face_engine.evaluation.bounds import Bounded, bounded, draws, share

DET_RATES = (0.1, 0.01, 0.001, 0.0001)

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DetPoint:
    """One threshold: a score at or above it is a match.

    Attributes:
        fmr: false match rate, of mismatched pairs.
        threshold: the lowest score that keeps the FMR at or below the rate asked for.
        fnmr: false non-match rate, of matched pairs, with 95% bounds by resampling people.
    """

    fmr: float
    threshold: float
    fnmr: Bounded


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """1:1 results.

    Attributes:
        accuracy: share of pairs told right at the best single threshold.
        threshold: that threshold.
        fold_accuracy: mean over folds, each at the threshold that is best on the others; None
            where the pair list has no folds.
        det: FNMR at several FMRs.
        same_scores: of the matched pairs ...
        other_scores: ... and of the mismatched ones: what a whole curve is drawn from.
    """

    accuracy: Bounded
    threshold: float
    fold_accuracy: float | None
    det: tuple[DetPoint, ...]
    same_scores: Scores
    other_scores: Scores


def just_above(score: float) -> float:
    """The next number: a threshold that this score does not reach."""
    return float(np.nextafter(score, np.inf))


def threshold_at(false_scores: Scores, rate: float) -> float:
    """The lowest threshold that at most `rate` of the scores reach.

    With k allowed, that is just above the (k+1)-th highest score.
    """
    allowed = int(np.floor(rate * len(false_scores) + 1e-9))
    if allowed >= len(false_scores):
        return -1.0
    return just_above(float(np.partition(false_scores, -allowed - 1)[-allowed - 1]))


def _accuracies(
    same: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Share told right for each cut of pairs sorted by falling score: (..., N+1)."""
    right_same = np.cumsum(weights * same, axis=-1)
    wrong_other = np.cumsum(weights * ~same, axis=-1)
    nothing = np.zeros((*weights.shape[:-1], 1))
    hits = np.concatenate((nothing, right_same), axis=-1)
    misses = np.concatenate((nothing, wrong_other), axis=-1)
    others = misses[..., -1:]
    total = weights.sum(axis=-1, keepdims=True)
    shares: NDArray[np.float64] = (hits + others - misses) / np.maximum(total, 1e-12)
    return shares


def best_threshold(scores: Scores, same: NDArray[np.bool_]) -> tuple[float, float]:
    """(threshold, accuracy) where the most pairs are told right."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    shares = _accuracies(same[order], np.ones(len(scores)))
    # A cut between equal scores is no threshold.
    possible = np.concatenate(([True], falling[1:] != falling[:-1], [True]))
    cut = int(np.argmax(np.where(possible, shares, -1)))
    if cut == 0:
        threshold = just_above(float(falling[0]))
    elif cut == len(falling):
        threshold = float(falling[-1])
    else:
        threshold = float(falling[cut - 1] + falling[cut]) / 2
    return threshold, float(shares[cut])


def fold_accuracy(
    scores: Scores,
    same: NDArray[np.bool_],
    folds: NDArray[np.int64],
) -> float | None:
    """Mean accuracy over folds at the other folds' best threshold; None with a single fold."""
    names = np.unique(folds)
    if len(names) == 1:
        return None
    shares = []
    for fold in names:
        inside = folds == fold
        threshold, _ = best_threshold(scores[~inside], same[~inside])
        shares.append(float(np.mean((scores[inside] >= threshold) == same[inside])))
    return float(np.mean(shares))


def det_curve(
    same_scores: Scores,
    other_scores: Scores,
    owners: NDArray[np.int64],
    rates: tuple[float, ...] = DET_RATES,
) -> tuple[DetPoint, ...]:
    """FNMR at the FMRs that the number of mismatched pairs can show at all.

    `owners` says whose each matched pair is, in numbers from 0 up.
    """
    points = []
    pairs = np.bincount(owners).astype(np.float64)
    for rate in rates:
        if rate * len(other_scores) < 1:
            continue
        threshold = threshold_at(other_scores, rate)
        refused = np.bincount(owners, weights=same_scores < threshold).astype(np.float64)
        fnmr = share(refused, pairs)
        if fnmr is None:
            break
        points.append(
            DetPoint(
                fmr=float(np.mean(other_scores >= threshold)),
                threshold=threshold,
                fnmr=fnmr,
            ),
        )
    return tuple(points)


def trade_off(false_scores: Scores, true_scores: Scores) -> tuple[Scores, Scores]:
    """(false rates, missed rates): FMR and FNMR of pairs, or FPIR and FNIR of probes.

    The false rate rises from one score let through to all but one, each time at the lowest
    threshold that keeps to it, as `threshold_at` has it.
    """
    falling = np.sort(false_scores)[::-1]
    missed = np.searchsorted(np.sort(true_scores), falling[1:], side="right") / len(true_scores)
    return np.arange(1, len(falling)) / len(falling), missed


def verify_pairs(
    scores: Scores,
    same: NDArray[np.bool_],
    people: NDArray[np.int64],
    folds: NDArray[np.int64],
) -> Verification:
    """All 1:1 results of N scored pairs.

    Args:
        scores: (N,) cosines; -1 where a photo had no face.
        same: (N,) whether a pair is matched.
        people: (N, 2) index of each side's person.
        folds: (N,) index of each pair's fold.
    """
    threshold, accuracy = best_threshold(scores, same)
    order = np.argsort(-scores, kind="stable")
    names, index = np.unique(people, return_inverse=True)
    sides = index.reshape(-1, 2)[order]
    replicates = []
    for drawn in draws(len(names)):
        # A matched pair counts as often as its person was drawn, a mismatched one as often as
        # its two people meet.
        first, second = drawn[:, sides[:, 0]], drawn[:, sides[:, 1]]
        weights = np.where(same[order], first, first * second).astype(np.float64)
        replicates.append(_accuracies(same[order], weights).max(axis=-1))
    return Verification(
        accuracy=bounded(accuracy, np.concatenate(replicates), len(names)),
        threshold=threshold,
        fold_accuracy=fold_accuracy(scores, same, folds),
        det=det_curve(scores[same], scores[~same], index.reshape(-1, 2)[same, 0]),
        same_scores=scores[same],
        other_scores=scores[~same],
    )
