from pathlib import Path

import cv2
import numpy as np
import pytest

from face_engine.errors import ModelsMissing, PackUnknown
from face_engine.liveness.passive import PassiveLiveness, load_passive, surroundings
from face_engine.models import FacePack, load_pack


@pytest.mark.parametrize(
    ("photo", "expected"), [("image_T1", 0.9999), ("image_F1", 0.2232), ("image_F2", 0.0023)]
)
def test_the_publishers_own_samples_are_told_apart(
    photo: str, expected: float, pack: FacePack, passive: PassiveLiveness, silent_face: Path
) -> None:
    image = np.asarray(cv2.imread(str(silent_face / f"{photo}.jpg")), np.uint8)
    face = pack.detector.detect(image, longest_side=640)[0]
    assert passive.live(image, face) == pytest.approx(expected, abs=2e-3)


def test_a_face_at_the_edge_is_seen_with_what_the_picture_has_around_it() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 100:] = 255
    # Four times the box would be 120 high: shrunk to the picture, and moved inside it.
    part = surroundings(image, np.array([-5.0, 10, 20, 30], np.float32), 4.0)
    assert part.shape == (80, 80, 3)
    assert part.max() == 0
    part = surroundings(image, np.array([190.0, 60, 20, 30], np.float32), 2.7)
    assert part.min() == 255


def test_without_its_files_the_command_that_brings_them_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelsMissing, match="gatehouse models fetch --pack silent-face"):
        load_passive(tmp_path)


def test_it_is_no_pack_to_recognise_people_with(tmp_path: Path) -> None:
    with pytest.raises(PackUnknown, match="recognises nobody"):
        load_pack("silent-face", tmp_path)
