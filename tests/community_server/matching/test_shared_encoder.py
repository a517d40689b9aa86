"""Doors that ask at the same time share the encoder's runs; one that asks alone does not wait."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from community_server.matching import SharedEncoder
from face_engine.faces import Encoder, Image, Vectors
from face_engine.models import FacePack, load_pack
from gatehouse.local_estate import wait_for
from gatehouse.sample_people import SamplePerson
from tests.community_server.photos import aligned
from tier_link.errors import DeadlinePassed, RequestRefused

FAR = float("inf")


class WatchedEncoder:
    """A real encoder that a test can hold up, and that notes what each run was given."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.runs: list[int] = []
        self.open = threading.Event()
        self.open.set()
        self.poison: Image | None = None

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode(self, crops: Image) -> Vectors:
        self.runs.append(len(crops))
        assert self.open.wait(30)
        if self.poison is not None and any((crop == self.poison).all() for crop in crops):
            raise ValueError("a crop that no encoder takes")
        return self._encoder.encode(crops)


@pytest.fixture(scope="module")
def pack(models: Path) -> FacePack:
    return load_pack(folder=models)


@pytest.fixture(scope="module")
def crops(pack: FacePack, people: Sequence[SamplePerson]) -> Image:
    """Aligned faces of different people."""
    return np.stack([aligned(pack, one.portrait) for one in people])


@pytest.fixture
def watched(pack: FacePack) -> WatchedEncoder:
    return WatchedEncoder(pack.encoder)


def _waiting(shared: SharedEncoder) -> int:
    return len(shared._queue)


def _hold(
    shared: SharedEncoder, watched: WatchedEncoder, pool: ThreadPoolExecutor, crops: Image
) -> Future[Vectors]:
    """Occupy the encoder with one request until `watched.open` is set."""
    watched.open.clear()
    first = pool.submit(shared.encode, crops, FAR)
    wait_for("the run", lambda: watched.runs == [len(crops)])
    return first


def test_one_that_asks_alone_is_served_at_once_and_alone(
    watched: WatchedEncoder, pack: FacePack, crops: Image
) -> None:
    shared = SharedEncoder(watched)
    assert np.array_equal(shared.encode(crops[:2], FAR), pack.encoder.encode(crops[:2]))
    assert watched.runs == [2]


def test_those_who_come_while_it_works_share_the_next_run_and_each_gets_its_own(
    watched: WatchedEncoder, pack: FacePack, crops: Image
) -> None:
    shared = SharedEncoder(watched, most_crops=8)
    with ThreadPoolExecutor(8) as pool:
        first = _hold(shared, watched, pool, crops[:1])
        others = []
        for number in range(5):  # one after the other, so that the queue's order is known
            mine = crops[number % len(crops)][None].repeat(2, axis=0)
            others.append((number, pool.submit(shared.encode, mine, FAR)))
            wait_for("the others to queue", lambda: _waiting(shared) == len(others))
        watched.open.set()
        alone = pack.encoder.encode(crops)
        assert np.allclose(first.result(), alone[:1], atol=1e-5)
        for number, other in others:
            assert np.allclose(other.result(), alone[number % len(crops)], atol=1e-5)
    assert watched.runs == [1, 8, 2]


def test_whoever_is_late_is_not_encoded(watched: WatchedEncoder, crops: Image) -> None:
    time = [0.0]
    shared = SharedEncoder(watched, clock=lambda: time[0])
    with ThreadPoolExecutor(3) as pool:
        first = _hold(shared, watched, pool, crops[:1])
        late = pool.submit(shared.encode, crops[:3], 5.0)
        wait_for("the others to queue", lambda: _waiting(shared) == 1)
        patient = pool.submit(shared.encode, crops[:2], 50.0)
        wait_for("the others to queue", lambda: _waiting(shared) == 2)
        time[0] = 10.0
        watched.open.set()
        assert len(first.result()) == 1
        assert len(patient.result()) == 2
        with pytest.raises(DeadlinePassed):
            late.result()
    assert watched.runs == [1, 2]


def test_the_queue_is_bounded(watched: WatchedEncoder, crops: Image) -> None:
    shared = SharedEncoder(watched, most_waiting=2)
    with ThreadPoolExecutor(4) as pool:
        running = [_hold(shared, watched, pool, crops[:1])]
        running += [pool.submit(shared.encode, crops[:1], FAR) for _ in range(2)]
        wait_for("the others to queue", lambda: _waiting(shared) == 2)
        with pytest.raises(RequestRefused) as refused:
            shared.encode(crops[:1], FAR)
        assert refused.value.code == "busy"
        watched.open.set()
        assert all(len(one.result()) == 1 for one in running)


def test_one_requests_fault_is_not_the_others(watched: WatchedEncoder, crops: Image) -> None:
    shared = SharedEncoder(watched)
    watched.poison = np.zeros_like(crops[0])
    with ThreadPoolExecutor(4) as pool:
        first = _hold(shared, watched, pool, crops[:1])
        good = pool.submit(shared.encode, crops[:2], FAR)
        wait_for("the others to queue", lambda: _waiting(shared) == 1)
        bad = pool.submit(shared.encode, watched.poison[None], FAR)
        wait_for("the others to queue", lambda: _waiting(shared) == 2)
        watched.open.set()
        assert len(first.result()) == 1
        assert len(good.result()) == 2
        with pytest.raises(ValueError, match="no encoder takes"):
            bad.result()
    assert len(shared.encode(crops[:1], FAR)) == 1


def test_many_threads_at_once_get_their_own_vectors(
    watched: WatchedEncoder, pack: FacePack, crops: Image
) -> None:
    shared = SharedEncoder(watched)
    alone = pack.encoder.encode(crops)
    with ThreadPoolExecutor(16) as pool:
        rows = [number % len(crops) for number in range(48)]
        found = pool.map(lambda row: shared.encode(crops[row][None], FAR), rows)
        for row, vectors in zip(rows, found, strict=True):
            assert np.allclose(vectors, alone[row][None], atol=1e-5)
    assert max(watched.runs) > 1
