"""The gallery finds the nearest person who is allowed, exactly, and nobody below the threshold."""

import numpy as np

from community_server.gallery import Gallery
from community_server.rosters.book import Row
from face_engine.faces import Vectors
from tier_link.estate_messages import RosterPerson

DIMENSION = 32


def _row(person: str, vector: Vectors) -> Row:
    roster = RosterPerson(person, "resident", "1", template=vector.astype("<f4").tobytes())
    return Row(roster, frozenset(), active=True, name="")


def _unit(rng: np.random.Generator, count: int) -> Vectors:
    vectors = rng.standard_normal((count, DIMENSION)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def test_the_answer_is_that_of_looking_at_everybody_allowed() -> None:
    rng = np.random.default_rng(5)
    vectors = _unit(rng, 300)
    people = [f"{number:032x}" for number in range(300)]
    gallery = Gallery(DIMENSION)
    gallery.update({p: _row(p, v) for p, v in zip(people, vectors, strict=True)})
    for probe in _unit(rng, 50):
        allowed = set(rng.choice(people, 20, replace=False))
        scores = {p: float(v @ probe) for p, v in zip(people, vectors, strict=True) if p in allowed}
        best = max(scores, key=scores.__getitem__)
        for threshold in (-1.0, 0.2, 0.4):
            expected = best if scores[best] >= threshold else None
            assert gallery.find(probe, threshold, allowed.__contains__) == expected


def test_whoever_is_gone_or_has_no_face_is_not_found() -> None:
    (vector,) = _unit(np.random.default_rng(1), 1)
    gallery = Gallery(DIMENSION)
    gallery.update({"a" * 32: _row("a" * 32, vector)})
    assert gallery.find(vector, 0.5, lambda _: True) == "a" * 32
    gallery.update({"a" * 32: None})
    assert gallery.find(vector, 0.5, lambda _: True) is None
    assert len(gallery) == 0
