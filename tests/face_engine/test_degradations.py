import cv2
import numpy as np
import pytest

from face_engine.degradations import Degradation, degrade, seeded
from face_engine.faces import Face, Image
from face_engine.models import FacePack
from face_engine.quality import Quality, assess


@pytest.fixture(scope="module")
def face(pack: FacePack, portraits: list[Image]) -> Face:
    return pack.detector.detect(portraits[0], longest_side=640)[0]


def copy(image: Image, face: Face, kind: Degradation, severity: float | None = None) -> Image:
    return degrade(image, face, kind, seeded(b"photo", kind), severity)


def quality(image: Image, face: Face) -> Quality:
    return assess(image, face)


@pytest.mark.parametrize("kind", Degradation)
def test_everybody_gets_the_same_copy_of_a_photo(
    kind: Degradation, portraits: list[Image], face: Face
) -> None:
    first, again = (copy(portraits[0], face, kind) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = degrade(portraits[0], face, kind, seeded(b"another photo", kind))
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("kind", [kind for kind in Degradation if kind is not Degradation.SMALL])
def test_a_severer_copy_is_farther_from_the_photo(
    kind: Degradation, portraits: list[Image], face: Face
) -> None:
    x, y, w, h = (int(value) for value in face.box)
    inside = slice(max(0, y), y + h), slice(max(0, x), x + w)
    grey = cv2.cvtColor(portraits[0], cv2.COLOR_BGR2GRAY)[inside].astype(np.float64)
    likeness = [
        np.corrcoef(
            cv2.cvtColor(copy(portraits[0], face, kind, severity), cv2.COLOR_BGR2GRAY)[
                inside
            ].ravel(),
            grey.ravel(),
        )[0, 1]
        for severity in (0.0, 0.5, 1.0)
    ]
    assert likeness[0] > likeness[1] > likeness[2]


def test_little_light_makes_a_picture_dark_and_grainy(portraits: list[Image], face: Face) -> None:
    good = quality(portraits[0], face)
    mild, dark = (
        quality(copy(portraits[0], face, Degradation.LOW_LIGHT, severity), face)
        for severity in (0.0, 1.0)
    )
    assert dark.brightness < mild.brightness < good.brightness + 5
    # Against what is left of the signal.
    assert dark.grain / dark.contrast > 2 * good.grain / good.contrast


def test_light_from_behind_leaves_the_face_dark_and_pale(
    portraits: list[Image], face: Face
) -> None:
    lit = copy(portraits[0], face, Degradation.BACKLIGHT, 0.5)
    good, now = quality(portraits[0], face), quality(lit, face)
    assert now.brightness < 0.7 * good.brightness
    assert now.contrast < 0.5 * good.contrast
    assert lit[0, 0].mean() > 200


def test_infrared_has_no_colour_and_shining_pupils(portraits: list[Image], face: Face) -> None:
    seen = copy(portraits[0], face, Degradation.INFRARED, 0.5)
    # JPEG may turn grey by a level.
    assert np.abs(seen[..., 0].astype(int) - seen[..., 2]).max() <= 3
    before = cv2.cvtColor(portraits[0], cv2.COLOR_BGR2GRAY)
    for x, y in face.landmarks[:2].astype(int):
        assert seen[y, x, 0] > before[y, x] + 40


def test_a_small_face_is_as_small_as_a_zone_accepts(portraits: list[Image], face: Face) -> None:
    for severity, eyes in ((0.0, 26), (1.0, 10)):
        small = copy(portraits[0], face, Degradation.SMALL, severity)
        shrunk = face.eye_distance * small.shape[1] / portraits[0].shape[1]
        assert shrunk == pytest.approx(eyes, rel=0.02)


def test_blur_takes_detail_away(portraits: list[Image], face: Face) -> None:
    blurred = copy(portraits[0], face, Degradation.BLUR, 1.0)
    assert quality(blurred, face).sharpness < 0.7 * quality(portraits[0], face).sharpness
