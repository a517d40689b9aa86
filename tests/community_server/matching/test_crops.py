"""What a door sends is looked at before it is decoded, and is a face of the encoder's size."""

import cv2
import numpy as np
import pytest

from community_server.matching.crops import decode_crops
from tests.community_server.photos import bomb, jpeg, pdf
from tier_link.errors import RequestRefused

FACE = np.random.default_rng(3).integers(0, 255, (112, 112, 3), np.uint8)


def test_jpeg_and_png_come_back_as_pixels() -> None:
    png = cv2.imencode(".png", FACE)[1].tobytes()
    found = decode_crops([png, jpeg(FACE)])
    assert found.shape == (2, 112, 112, 3)
    assert np.array_equal(found[0], FACE)


@pytest.mark.parametrize(
    "crop",
    [b"", pdf(), bomb(), jpeg(FACE)[:-40], jpeg(FACE[:100]), jpeg(np.zeros((112, 113, 3), "u1"))],
    ids=["nothing", "another-type", "huge", "cut-off", "low", "wide"],
)
def test_anything_else_is_refused(crop: bytes) -> None:
    with pytest.raises(RequestRefused) as refused:
        decode_crops([jpeg(FACE), crop])
    assert refused.value.code == "crop-malformed"
