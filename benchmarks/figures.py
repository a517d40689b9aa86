"""What a benchmark reports, and how two things are compared fairly.

Machines are shared and drift: absolute times mislead, ratios of runs taken in turn do not.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Self

WARM_UP_ROUNDS: Final = 3


@dataclass(frozen=True)
class Figure:
    """One line of the results.

    Attributes:
        name: what was measured.
        median: of what is ours.
        unit: of `median` and `reference_median`.
        samples: how many measurements the medians are of.
        reference: what it is compared with, or empty.
        reference_median: of the reference, or None.
        ratio: median of the pairwise ratios ours / reference, or None.
        note: which part is the model's and which ours, or what else a reader must know.
    """

    name: str
    median: float
    unit: str
    samples: int
    reference: str = ""
    reference_median: float | None = None
    ratio: float | None = None
    note: str = ""

    def per(self, count: int) -> Self:
        """Return the same figure for one of `count` things that were measured together."""
        reference = self.reference_median
        return replace(
            self,
            median=self.median / count,
            reference_median=None if reference is None else reference / count,
        )

    def noted(self, note: str) -> Self:
        """Return the same figure with a note."""
        return replace(self, note=note)


def paired(
    name: str,
    ours: Callable[[], object],
    reference: Callable[[], object],
    *,
    reference_name: str,
    rounds: int = 30,
    note: str = "",
    clock: Callable[[], float] = time.perf_counter,
) -> Figure:
    """Run the two in turn (A, B, A, B, …) and return medians in milliseconds and their ratio.

    Args:
        name: what is measured.
        ours: one run of it.
        reference: one run of what it is compared with.
        reference_name: what that is.
        rounds: pairs that count, after `WARM_UP_ROUNDS` that do not.
        note: for the reader.
        clock: seconds; `time.process_time` measures CPU time instead of wall time.
    """
    pairs: list[tuple[float, float]] = []
    for number in range(WARM_UP_ROUNDS + rounds):
        start = clock()
        ours()
        middle = clock()
        reference()
        end = clock()
        if number >= WARM_UP_ROUNDS:
            pairs.append((middle - start, end - middle))
    return Figure(
        name=name,
        median=1000 * statistics.median(first for first, _ in pairs),
        unit="ms",
        samples=rounds,
        reference=reference_name,
        reference_median=1000 * statistics.median(second for _, second in pairs),
        ratio=statistics.median(first / second for first, second in pairs),
        note=note,
    )
