import numpy as np

from face_engine.encoder import normalise
from face_engine.rotation import random_rotation, turn


def test_inner_products_stay_exact() -> None:
    vectors = normalise(np.random.default_rng(0).standard_normal((50, 128)))
    turned = turn(vectors, random_rotation(128))
    np.testing.assert_allclose(turned @ turned.T, vectors @ vectors.T, atol=1e-5)
    assert turned.dtype == np.float32


def test_two_communities_cannot_join_their_galleries_by_accident() -> None:
    vectors = normalise(np.random.default_rng(0).standard_normal((200, 128)))
    here, there = turn(vectors, random_rotation(128)), turn(vectors, random_rotation(128))
    same_person = np.einsum("nd,nd->n", here, there)
    assert abs(same_person.mean()) < 0.1


def test_a_matrix_is_orthonormal_and_new_each_time() -> None:
    one, two = random_rotation(64), random_rotation(64)
    np.testing.assert_allclose(one @ one.T, np.eye(64), atol=1e-5)
    assert np.abs(one - two).max() > 0.1
    np.testing.assert_array_equal(random_rotation(8, seed=4), random_rotation(8, seed=4))


def test_enough_known_pairs_recover_the_matrix_so_it_is_not_encryption() -> None:
    matrix = random_rotation(128)
    known = normalise(np.random.default_rng(1).standard_normal((160, 128)))
    recovered, *_ = np.linalg.lstsq(known, turn(known, matrix), rcond=None)
    np.testing.assert_allclose(recovered.T, matrix, atol=1e-3)
