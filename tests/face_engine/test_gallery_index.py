import threading

import numpy as np
import pytest

from face_engine.encoder import normalise
from face_engine.errors import IndexMisused
from face_engine.faces import Vectors
from face_engine.gallery_index import GalleryIndex


def random_vectors(count: int, dimension: int = 32, seed: int = 0) -> Vectors:
    return normalise(np.random.default_rng(seed).standard_normal((count, dimension)))


@pytest.fixture(params=[10**9, 1], ids=["32-bit", "16-bit"])
def half_precision_from(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_search_is_exact_through_adds_replacements_and_removals(half_precision_from: int) -> None:
    source = np.random.default_rng(2)
    index = GalleryIndex(32, half_precision_from=half_precision_from)
    truth: dict[str, Vectors] = {}
    pool = random_vectors(600)
    for step, vector in enumerate(pool):
        action = source.random()
        if truth and action < 0.25:
            gone = str(source.choice(list(truth)))
            index.remove(gone)
            del truth[gone]
        elif truth and action < 0.4:
            changed = str(source.choice(list(truth)))
            index.replace(changed, vector)
            truth[changed] = vector
        else:
            index.add(f"p{step}", vector)
            truth[f"p{step}"] = vector
        assert len(index) == len(truth)
    names, vectors = list(truth), np.stack(list(truth.values()))
    for query in random_vectors(50, seed=9):
        hits = index.search(query, 3)
        expected = np.sort(vectors @ query)[::-1][:3]
        np.testing.assert_allclose([hit.score for hit in hits], expected, atol=2e-3)
        assert hits[0].score == pytest.approx(
            float(vectors[names.index(hits[0].id)] @ query), abs=2e-3
        )
    assert all(name in index for name in names)
    assert "nobody" not in index


def test_storage_changes_to_16_bits_when_large_and_keeps_everybody() -> None:
    vectors = random_vectors(100)
    index = GalleryIndex(32, half_precision_from=60)
    for row, vector in enumerate(vectors):
        index.add(str(row), vector)
        assert index.half_precision == (row + 1 >= 60)
    found = [hits[0].id for hits in index.search_many(vectors)]
    assert found == [str(row) for row in range(100)]


def test_put_adds_or_replaces() -> None:
    first, second = random_vectors(2)
    index = GalleryIndex(32)
    index.put("a", first)
    index.put("a", second)
    assert len(index) == 1
    assert index.search(second)[0].score == pytest.approx(1, abs=1e-5)


def test_fewer_than_asked_for_are_found_in_a_small_gallery() -> None:
    index = GalleryIndex(32)
    query = random_vectors(1)[0]
    assert index.search(query, 5) == []
    index.add("only", query)
    assert [hit.id for hit in index.search(query, 5)] == ["only"]


def test_the_nearest_one_allowed_is_found_behind_however_many_who_are_not() -> None:
    vectors = random_vectors(300)
    index = GalleryIndex(32)
    index.add_many([str(number) for number in range(300)], vectors)
    order = np.argsort(-(vectors @ vectors[0]))
    for place in (0, 7, 8, 100, 299):
        wanted = str(order[place])
        hit = index.nearest(vectors[0], {wanted}.__contains__)
        assert hit is not None
        assert hit.id == wanted
        too_high = hit.score + 0.01
        assert index.nearest(vectors[0], lambda _: True, at_least=1.1) is None
        if place:
            found = index.nearest(vectors[0], {wanted}.__contains__, at_least=too_high)
            assert found is None
    assert index.nearest(vectors[0], lambda _: False) is None


def test_misuse_is_refused_and_changes_nothing() -> None:
    vectors = random_vectors(3)
    index = GalleryIndex(32)
    index.add("a", vectors[0])
    with pytest.raises(IndexMisused):
        index.add("a", vectors[1])
    with pytest.raises(IndexMisused):
        index.add_many(["b", "b"], vectors[:2])
    with pytest.raises(IndexMisused):
        index.add_many(["b"], vectors[:2])
    with pytest.raises(IndexMisused):
        index.remove("nobody")
    with pytest.raises(IndexMisused):
        index.replace("nobody", vectors[0])
    for bad in (vectors[0] * 2, vectors[0] * np.nan, vectors[0][:5]):
        with pytest.raises(IndexMisused):
            index.add("b", bad)
    assert len(index) == 1


def test_a_removed_vector_is_not_left_in_memory() -> None:
    vectors = random_vectors(2)
    index = GalleryIndex(32)
    index.add_many(["a", "b"], vectors)
    stored = index._stored()
    index.remove("b")
    assert not stored[1].any()


def test_searches_during_changes_always_see_a_whole_gallery() -> None:
    """The fixed people stay findable while others come and go beside them."""
    fixed, moving = random_vectors(40, seed=1), random_vectors(400, seed=2)
    index = GalleryIndex(32, half_precision_from=150)
    index.add_many([f"fixed{row}" for row in range(40)], fixed)
    stop = threading.Event()
    wrong: list[str] = []

    def search() -> None:
        while not stop.is_set():
            for row, hits in enumerate(index.search_many(fixed, 1)):
                if hits[0].id != f"fixed{row}":
                    wrong.append(hits[0].id)

    readers = [threading.Thread(target=search) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for row, vector in enumerate(moving):
            index.add(f"m{row}", vector)
            if row % 3 == 2:
                index.remove(f"m{row - 2}")
                index.replace(f"m{row - 1}", moving[row - 2])
    finally:
        stop.set()
        for reader in readers:
            reader.join(10)
    assert wrong == []
    assert len(index) == 40 + 400 - 133
