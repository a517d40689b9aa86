"""From "how many false openings" to a threshold: what was measured, and how far it carries.

A calibration belongs to one template space and is made by `gatehouse evaluate
--write-calibration`; its file names its data and its command. No threshold is typed by hand.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from face_engine.errors import CalibrationMissing
from face_engine.models.registry import default_folder
from face_engine.score_curve import ScoreCurve, Threshold


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
        strangers: best scores of people who are not enrolled, one probe of each.
        templates: best scores of the enrolled people's own templates among each other's: what
            an estate's, where nobody has measured strangers, are held against.
        same_person: 1:1 threshold below which two photos sent in together are held to show
            different people.
        refusals: of enrolled people, one curve per number of frames.
    """

    template_space: str
    source: str
    command: str
    strangers: ScoreCurve
    templates: ScoreCurve
    same_person: float
    refusals: tuple[RefusalCurve, ...] = ()

    def threshold(self, fpir: float, gallery_size: int) -> Threshold:
        """The threshold at which one probe of a stranger finds somebody with probability `fpir`.

        Raises:
            ValueError: `fpir` is not between 0 and 1, or the gallery size not positive.
        """
        return self.strangers.threshold(fpir, gallery_size)

    def refusal(self, threshold: float, frames: int) -> Refusal | None:
        """Expected false refusals of probes of at most `frames` frames; None: not measured."""
        fitting = [curve for curve in self.refusals if curve.frames <= frames]
        return max(fitting, key=lambda curve: curve.frames).at(threshold) if fitting else None


def to_json(calibration: Calibration) -> str:
    """The calibration as a file: JSON, one field a line."""
    fields = asdict(calibration)
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def from_json(text: str) -> Calibration:
    """Out and back with `to_json`."""
    fields = _tuples(json.loads(text))
    for name in ("strangers", "templates"):
        fields[name] = ScoreCurve(**fields[name])
    curves = tuple(RefusalCurve(**curve) for curve in fields.pop("refusals", ()))
    return Calibration(**fields, refusals=curves)


def _tuples(value: Any) -> Any:
    """Lists, at any depth, as tuples."""
    if isinstance(value, dict):
        return {name: _tuples(part) for name, part in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@cache
def load(template_space: str, models: Path | None = None) -> Calibration:
    """The calibration shipped for a template space, else the one below the models folder.

    There it lies as `calibrations/<template space>.json`, written by `gatehouse evaluate`.

    Raises:
        CalibrationMissing: there is none, or it is unreadable or another space's.
    """
    name = f"{template_space}.json"
    shipped = resources.files("face_engine") / "calibrations" / name
    if shipped.is_file():
        return from_json(shipped.read_text("utf-8"))
    own = (default_folder() if models is None else models) / "calibrations" / name
    try:
        calibration = from_json(own.read_text("utf-8"))
    except FileNotFoundError:
        raise CalibrationMissing(
            f"The template space '{template_space}' has no calibration. Make one with: "
            f"gatehouse evaluate --images FOLDER --pack PACK --write-calibration {own}",
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as broken:
        raise CalibrationMissing(f"{own} is no calibration: {broken}") from broken
    if calibration.template_space != template_space:
        raise CalibrationMissing(f"{own} is of the space '{calibration.template_space}'.")
    return calibration
