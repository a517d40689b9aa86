"""Brothers and sisters are held at enrollment, also where the doors' threshold would part them."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from face_engine.alignment import align
from face_engine.calibration import load
from face_engine.encoder import as_probe, encode_with_mirror, fuse
from face_engine.enrollment import judge
from face_engine.error_budget import ErrorBudget
from face_engine.evaluation.encoding import central_face
from face_engine.faces import Image, Vectors
from face_engine.images import decode_photo
from face_engine.landmarks import refine
from face_engine.lookalikes import is_surely, risk_level
from face_engine.models import FacePack
from face_engine.models.registry import OPENCV_ZOO
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


@pytest.mark.parametrize(
    ("cosines", "theirs"),
    [
        ((0.9, 0.9), True),
        ((0.9, 0.41), False),  # one frame would not open
        ((0.43, 0.43), False),  # each opens, and all of them barely do
        ((float("nan"), 0.9), False),
    ],
)
def test_who_is_surely_somebody_is_so_in_each_frame(
    cosines: tuple[float, ...], *, theirs: bool
) -> None:
    template = np.eye(1, 8, dtype=np.float32)[0]
    vectors = np.stack([template * one for one in cosines])
    vectors[:, 1] = np.sqrt(1 - np.square(cosines))  # what they differ by, they all share
    assert is_surely(vectors, template, 0.42, load(OPENCV_ZOO.template_space)) is theirs


@pytest.mark.soak
def test_of_strangers_taken_for_somebody_few_are_taken_so_for_sure(pack: FacePack) -> None:
    """Photos of different days stand for frames; gallery of three photos each, probes of two."""
    folders = sorted((shared_folder("lfw-dev") / "images").iterdir())
    five = [photos[:5] for one in folders if len(photos := sorted(one.glob("*.jpg"))) > 4]
    crops = [found for photos in five if len(found := [*_crops(pack, photos)]) > 4]
    encoder, calibration = pack.encoder, load(OPENCV_ZOO.template_space)
    templates = [fuse(encode_with_mirror(encoder, np.stack(one[:3]))) for one in crops]
    probes = [encoder.encode(as_probe(np.stack(one[3:]))) for one in crops]
    for fpir in (1 / 1522, 0.01, 0.1):
        threshold = calibration.threshold(fpir, 400).value
        counts = np.zeros((2, 2), int)  # others, owners: matched, surely
        for mine, probe in enumerate(probes):
            matched = [n for n, one in enumerate(templates) if fuse(probe) @ one >= threshold]
            for whose in matched:
                sure = is_surely(probe, templates[whose], threshold, calibration)
                counts[int(whose == mine)] += (1, int(sure))
        (others, others_sure), (owners, owners_sure) = counts
        print(
            f"\n{len(crops)} people at FPIR {fpir:.2%}: of {owners} matched owners {owners_sure} "
            f"surely, of {others} matched others {others_sure}"
        )
        assert owners_sure > 0.9 * owners
        assert others_sure < max(0.3 * others, 2)


def _crops(pack: FacePack, photos: Sequence[Path]) -> Iterator[Image]:
    for photo in photos:
        image = decode_photo(photo.read_bytes())
        faces = pack.detector.detect(image)
        if faces:
            face = refine(pack.detector, image, central_face(faces, image))
            yield align(image, face.landmarks)
