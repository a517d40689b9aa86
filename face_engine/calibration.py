"""From "how many false openings" to a threshold: what was measured, and how far it carries.

A calibration belongs to one template space and is made by `gatehouse evaluate
--write-calibration`; its file names its data and its command. No threshold is typed by hand.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_engine.errors import CalibrationMissing

# An event expected fewer than three times in the data may as well be three times as frequent
# (rule of three: no event in n trials bounds the rate at 3/n with 95% confidence).
SUPPORT = 3.0
# Share of the non-mated scores, from the top, that the tail is fitted to.
TAIL_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold for one sighting.

    Attributes:
        value: cosine; a best score at or above it is a match.
        supported: True when enough strangers were measured to show such a rate; False when the
            value is extrapolated from the tail of their scores.
    """

    value: float
    supported: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """How often an enrolled person is not recognised at a threshold (FNIR, a share).

    Attributes:
        rate: as measured.
        low: its 95% bounds, by resampling people ...
        high: ... see `low`.
        frames: fused into each probe.
        people: whose probes these were.
    """

    rate: float
    low: float
    high: float
    frames: int
    people: int


@dataclass(frozen=True, slots=True)
class RefusalCurve:
    """FNIR of probes of so many frames, measured at rising thresholds.

    Attributes:
        frames: fused into each probe.
        people: whose probes these were.
        thresholds: cosines, rising; the other three are as long.
        rates: FNIR, and ...
        lows: ... its 95% bounds, by resampling people ...
        highs: ... see `lows`.
    """

    frames: int
    people: int
    thresholds: tuple[float, ...]
    rates: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    def at(self, threshold: float) -> Refusal:
        """Straight between the measured thresholds, and as at the last one beyond them."""
        rate, low, high = (
            float(np.interp(threshold, self.thresholds, values))
            for values in (self.rates, self.lows, self.highs)
        )
        return Refusal(rate, low, high, self.frames, self.people)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an evaluation found out about one template space.

    Attributes:
        template_space: whose scores these are.
        source: the data, and how it was used.
        command: what made the file.
        gallery_size: people in the gallery that was measured.
        strangers: non-mated probes measured, one per person.
        rates: falling FPIRs at that gallery size ...
        scores: ... and the lowest thresholds that keep to them.
        tail_rate: FPIR at `tail_score`, from where the tail is extrapolated.
        tail_score: see `tail_rate`.
        tail_scale: cosine over which the rate falls by e beyond `tail_score`.
        same_person: 1:1 threshold below which two photos sent in together are held to show
            different people.
        refusals: of enrolled people, one curve per number of frames.
    """

    template_space: str
    source: str
    command: str
    gallery_size: int
    strangers: int
    rates: tuple[float, ...]
    scores: tuple[float, ...]
    tail_rate: float
    tail_score: float
    tail_scale: float
    same_person: float
    refusals: tuple[RefusalCurve, ...] = ()

    def measured_rate(self, fpir: float, gallery_size: int) -> float:
        """The FPIR against the measured gallery that is `fpir` against one of another size.

        A gallery is reckoned as that many independent comparisons: `1 - (1 - FPIR)^(N/N0)`,
        ISO/IEC 19795-1's model.

        Raises:
            ValueError: `fpir` is not between 0 and 1, or the gallery size not positive.
        """
        if not 0 < fpir < 1 or gallery_size < 1:
            raise ValueError("fpir must lie between 0 and 1, the gallery hold at least one person")
        # expm1 and log1p, because rates of one in millions drown in 1 - x.
        return -math.expm1(math.log1p(-fpir) * self.gallery_size / gallery_size)

    def threshold(self, fpir: float, gallery_size: int) -> Threshold:
        """The threshold at which one probe of a stranger finds somebody with probability `fpir`.

        Raises:
            ValueError: as in `measured_rate`.
        """
        rate = self.measured_rate(fpir, gallery_size)
        if rate * self.strangers >= SUPPORT:
            # Between measured rates, straight in the logarithm of the rate.
            value = np.interp(-math.log(rate), -np.log(self.rates), self.scores)
            return Threshold(float(value), supported=True)
        beyond = self.tail_scale * math.log(self.tail_rate / rate)
        return Threshold(max(self.tail_score + beyond, self.scores[-1]), supported=False)

    def refusal(self, threshold: float, frames: int) -> Refusal | None:
        """Expected false refusals of probes of at most `frames` frames; None: not measured."""
        fitting = [curve for curve in self.refusals if curve.frames <= frames]
        return max(fitting, key=lambda curve: curve.frames).at(threshold) if fitting else None


def fit_tail(strangers: NDArray[np.float64]) -> tuple[float, float, float]:
    """(rate, score, scale) of an exponential tail fitted to the top `TAIL_SHARE` of the scores.

    The excess over a high enough level of nearly any distribution is close to exponential or
    shorter-tailed; the mean excess is its maximum-likelihood scale (J. Pickands, "Statistical
    inference using extreme order statistics", Annals of Statistics 3, 1975).
    """
    falling = np.sort(strangers)[::-1]
    count = max(2, int(len(falling) * TAIL_SHARE))
    level = float(falling[count - 1])
    return count / len(falling), level, float(np.mean(falling[:count] - level))


def rate_table(strangers: NDArray[np.float64], points: int = 40) -> tuple[NDArray[np.float64], ...]:
    """(rates, scores): thresholds at falling rates, from everybody to three strangers."""
    rising = np.sort(strangers)
    rates = np.geomspace(1.0, SUPPORT / len(rising), points)
    allowed = np.maximum(np.floor(rates * len(rising) + 1e-9).astype(int), 1)
    return allowed / len(rising), rising[len(rising) - allowed]


def make(
    *,
    template_space: str,
    source: str,
    command: str,
    gallery_size: int,
    strangers: NDArray[np.float64],
    same_person: float,
    refusals: tuple[RefusalCurve, ...] = (),
) -> Calibration:
    """A calibration from the best scores of strangers against a gallery."""
    rates, scores = rate_table(strangers)
    rate, level, scale = fit_tail(strangers)
    return Calibration(
        template_space=template_space,
        source=source,
        command=command,
        gallery_size=gallery_size,
        strangers=len(strangers),
        rates=rounded(rates),
        scores=rounded(scores),
        tail_rate=rate,
        tail_score=level,
        tail_scale=scale,
        same_person=same_person,
        refusals=refusals,
    )


def rounded(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, ...]:
    """Six digits: as many as a calibration's file needs."""
    return tuple(float(f"{float(value):.6g}") for value in values)


def to_json(calibration: Calibration) -> str:
    """The calibration as a file: JSON, one field a line."""
    fields = asdict(calibration)
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def from_json(text: str) -> Calibration:
    """Out and back with `to_json`."""
    fields = _tuples(json.loads(text))
    curves = tuple(RefusalCurve(**curve) for curve in fields.pop("refusals", ()))
    return Calibration(**fields, refusals=curves)


def _tuples(value: Any) -> Any:
    """Lists, at any depth, as tuples."""
    if isinstance(value, dict):
        return {name: _tuples(part) for name, part in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@cache
def load(template_space: str) -> Calibration:
    """The calibration shipped for a template space.

    Raises:
        CalibrationMissing: there is none.
    """
    file = resources.files("face_engine") / "calibrations" / f"{template_space}.json"
    try:
        return from_json(file.read_text("utf-8"))
    except FileNotFoundError:
        raise CalibrationMissing(
            f"The template space '{template_space}' has no calibration. Make one with: "
            f"gatehouse evaluate --images FOLDER --pack PACK --write-calibration FILE",
        ) from None
