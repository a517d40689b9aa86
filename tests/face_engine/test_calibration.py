import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from face_engine import calibration
from face_engine.calibration import (
    Calibration,
    Refusal,
    RefusalCurve,
    from_json,
    load,
    to_json,
)
from face_engine.errors import CalibrationMissing
from face_engine.score_curve import measure


@pytest.fixture
def measured() -> Calibration:
    """2,000 strangers whose best scores have an exactly exponential tail above 0.4."""
    share = (np.arange(2000) + 0.5) / 2000
    return Calibration(
        template_space="test",
        source="made up",
        command="none",
        strangers=measure(0.3 - 0.03 * np.log(share), 1000),
        templates=measure(0.35 - 0.03 * np.log(share), 999),
        same_person=0.35,
        refusals=(
            RefusalCurve(1, 50, (0.3, 0.5), (0.1, 0.3), (0.0, 0.2), (0.2, 0.4)),
            RefusalCurve(2, 20, (0.3, 0.5), (0.0, 0.2), (0.0, 0.1), (0.1, 0.3)),
        ),
    )


def test_a_supported_threshold_is_the_measured_one(measured: Calibration) -> None:
    threshold = measured.threshold(0.01, 1000)
    assert threshold.supported
    assert threshold.value == pytest.approx(0.3 - 0.03 * math.log(0.01), abs=0.003)


def test_beyond_three_expected_events_it_is_extrapolated_and_says_so(measured: Calibration) -> None:
    assert measured.threshold(0.0016, 1000).supported
    threshold = measured.threshold(1e-5, 1000)
    assert not threshold.supported
    assert threshold.value == pytest.approx(0.3 - 0.03 * math.log(1e-5), abs=0.01)


def test_a_larger_gallery_or_a_smaller_rate_never_lowers_the_threshold(
    measured: Calibration,
) -> None:
    for fpirs, sizes in (
        (np.geomspace(0.9, 1e-9, 60), [1000] * 60),
        ([0.01] * 60, np.geomspace(1, 1e6, 60).astype(int)),
    ):
        values = [
            measured.threshold(float(fpir), int(size)).value
            for fpir, size in zip(fpirs, sizes, strict=True)
        ]
        assert values == sorted(values)


def test_a_gallery_ten_times_as_large_needs_a_tenth_of_the_rate(measured: Calibration) -> None:
    large = measured.threshold(0.05, 10_000).value
    rate = 1 - 0.95**0.1
    assert large == pytest.approx(measured.threshold(rate, 1000).value, abs=1e-6)


@pytest.mark.parametrize(("fpir", "size"), [(0, 10), (1, 10), (-1, 10), (0.1, 0)])
def test_what_is_no_rate_or_no_gallery_is_refused(
    measured: Calibration,
    fpir: float,
    size: int,
) -> None:
    with pytest.raises(ValueError, match="fpir"):
        measured.threshold(fpir, size)


def test_a_file_goes_out_and_back(measured: Calibration) -> None:
    assert from_json(to_json(measured)) == measured


def test_the_default_pack_has_a_calibration_that_names_its_making() -> None:
    shipped = load("sface-2021dec-int8bq-centred")
    assert shipped.strangers.count >= 1000
    assert shipped.templates.count >= 1000
    assert "Labeled Faces in the Wild" in shipped.source
    assert shipped.command.startswith("gatehouse evaluate")
    assert 0.2 < shipped.same_person < shipped.threshold(0.01, 1000).value < 0.6


def test_a_space_without_calibration_is_told_how_to_make_one() -> None:
    with pytest.raises(CalibrationMissing, match="--write-calibration"):
        calibration.load("unheard-of")


def test_refusals_are_those_of_as_many_frames_as_were_measured(measured: Calibration) -> None:
    assert measured.refusal(0.3, frames=1) == Refusal(0.1, 0.0, 0.2, 1, 50)
    assert measured.refusal(0.3, frames=5) == Refusal(0.0, 0.0, 0.1, 2, 20)
    between = measured.refusal(0.4, frames=2)
    assert between is not None
    assert between.rate == pytest.approx(0.1)


def test_a_calibration_without_refusals_says_so(measured: Calibration) -> None:
    assert replace(measured, refusals=()).refusal(0.4, frames=2) is None


def test_a_packs_own_calibration_lies_in_the_models_folder(
    measured: Calibration, tmp_path: Path
) -> None:
    folder = tmp_path / "calibrations"
    folder.mkdir()
    with pytest.raises(CalibrationMissing, match=r"calibrations/test\.json"):
        load("test", tmp_path)
    (folder / "test.json").write_text(to_json(measured), "utf-8")
    assert load("test", tmp_path) == measured
    (folder / "other.json").write_text(to_json(measured), "utf-8")
    (folder / "broken.json").write_text("{", "utf-8")
    for space in ("other", "broken"):
        with pytest.raises(CalibrationMissing, match=space):
            load(space, tmp_path)
