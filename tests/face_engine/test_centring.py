import numpy as np
import pytest

from face_engine.centring import (
    CentredEncoder,
    Middle,
    centre,
    from_json,
    load,
    middle_of,
    to_json,
)
from face_engine.encoder import normalise
from face_engine.faces import Image, Vectors
from face_engine.models import FacePack


class Leaning:
    """An encoder that puts every face to one side, as trained ones do."""

    dimension = 8

    def __init__(self, lean: float) -> None:
        self._lean = np.eye(8, dtype=np.float32)[0] * lean

    def encode(self, crops: Image) -> Vectors:
        random = np.random.default_rng(int(crops.sum()))
        return normalise(random.standard_normal((len(crops), 8)) + self._lean)


def test_centred_vectors_of_strangers_no_longer_lean_to_one_side() -> None:
    network = Leaning(2.0)
    people = [network.encode(np.full((3, 1, 1, 3), one, np.uint8)) for one in range(200)]
    encoder = CentredEncoder(network, middle_of(people))
    crops = np.full((400, 1, 1, 3), 7, np.uint8)
    seen = encoder.encode(crops)
    lean = np.linalg.norm(network.encode(crops).mean(axis=0))
    assert np.linalg.norm(seen.mean(axis=0)) < lean / 2
    assert seen.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, atol=1e-6)


def test_everybody_counts_once_however_often_photographed() -> None:
    here, there = np.eye(2, dtype=np.float32)
    np.testing.assert_allclose(middle_of([np.stack([here] * 9), there[None]]), [0.5, 0.5])


def test_the_middle_itself_has_no_direction_and_stays_a_number() -> None:
    middle = np.array([0.3, 0.0], np.float32)
    assert centre(middle, middle).tolist() == [0, 0]


def test_a_middle_goes_out_and_back() -> None:
    middle = Middle("photos", "a command", 12, np.array([0.25, -0.125], np.float32))
    back = from_json(to_json(middle))
    assert (back.source, back.command, back.people) == ("photos", "a command", 12)
    np.testing.assert_array_equal(back.vector, middle.vector)


def test_the_default_pack_is_centred_and_shows_its_network(pack: FacePack) -> None:
    shipped = load(pack.template_space)
    assert shipped is not None
    assert shipped.people >= 20
    assert isinstance(pack.encoder, CentredEncoder)
    crops = np.random.default_rng(1).integers(0, 256, (2, 112, 112, 3), np.uint8)
    bare = pack.uncentred()
    assert bare.template_space != pack.template_space
    assert bare.uncentred().template_space == bare.template_space
    np.testing.assert_array_equal(
        pack.centred(bare.encoder.encode(crops)), pack.encoder.encode(crops)
    )
    np.testing.assert_allclose(
        pack.encoder.encode(crops), centre(bare.encoder.encode(crops), shipped.vector), atol=1e-6
    )


def test_a_space_without_a_middle_stays_as_it_is() -> None:
    assert load("w600k-000000000000") is None


@pytest.mark.parametrize("count", [0, 1])
def test_any_number_of_faces_is_centred(count: int) -> None:
    encoder = CentredEncoder(Leaning(1.0), np.zeros(8, np.float32))
    assert encoder.encode(np.zeros((count, 1, 1, 3), np.uint8)).shape == (count, 8)
