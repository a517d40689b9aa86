"""Brothers and sisters are held at enrollment, also where the doors' threshold would part them."""

from itertools import combinations
from pathlib import Path

import pytest

from face_engine.calibration import load
from face_engine.enrollment import judge
from face_engine.error_budget import ErrorBudget
from face_engine.faces import Vectors
from face_engine.lookalikes import risk_level
from face_engine.models import FacePack
from tests.support.shared_data import shared_folder

SIBLINGS = (
    ("Ahmed_Ibrahim_Bilal", "Muhammad_Ibrahim_Bilal"),
    ("Serena_Williams", "Venus_Williams"),
)


@pytest.fixture(scope="module")
def photos() -> Path:
    return shared_folder("lfw-dev") / "images"


def _template(pack: FacePack, folder: Path) -> Vectors:
    return judge(pack, [photo.read_bytes() for photo in sorted(folder.glob("*.jpg"))[:3]]).template


def test_siblings_are_too_alike_and_others_are_not(pack: FacePack, photos: Path) -> None:
    calibration = load(pack.template_space)
    threshold = ErrorBudget(1, 50).reckon(calibration, 400).value
    level = risk_level(threshold, calibration)
    known = {name: _template(pack, photos / name) for pair in SIBLINGS for name in pair}
    alike = {
        pair for pair in combinations(known, 2) if float(known[pair[0]] @ known[pair[1]]) >= level
    }
    assert alike == set(SIBLINGS)
    # The threshold alone would have let some of them in as each other's double.
    assert any(float(known[one] @ known[other]) < threshold for one, other in SIBLINGS)


def test_a_stricter_door_takes_more_likeness_for_no_risk() -> None:
    calibration = load("sface-2021dec-int8bq-centred")
    assert risk_level(0.5, calibration) > risk_level(0.45, calibration)
    assert risk_level(0.5, calibration) < 0.5
