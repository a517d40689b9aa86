from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tier_link.errors import MalformedMessage, RecordRefused
from tier_link.events import DurableRecord, Marks
from tier_link.messages import MAX_RECORD
from tier_link.store import LinkStore, reading
from tier_link.store.tables import LinkOutbox

WEEK = timedelta(days=7)
NOW = 1_795_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: Engine, clock: Clock) -> LinkStore:
    return LinkStore(engine, keep_acknowledged=WEEK, clock=clock)


def put(engine: Engine, store: LinkStore, *bodies: bytes, peer: str = "server") -> list[int]:
    with Session(engine) as session, session.begin():
        return [store.put(session, peer, "entry", body) for body in bodies]


def sequences(store: LinkStore, after: int = 0) -> list[int]:
    return [record.sequence for record in store.pending("server", after, limit=100)]


def test_records_are_numbered_from_one_per_peer(engine: Engine, store: LinkStore) -> None:
    assert put(engine, store, b"a", b"b") == [1, 2]
    assert put(engine, store, b"c") == [3]
    assert put(engine, store, b"d", peer="other") == [1]
    assert store.pending("server", 1, limit=10) == [
        DurableRecord(2, "entry", b"b"),
        DurableRecord(3, "entry", b"c"),
    ]
    assert store.marks("server").next_sequence == 4


def test_a_record_and_its_fact_come_and_go_together(engine: Engine, store: LinkStore) -> None:
    with Session(engine) as session:
        store.put(session, "server", "entry", b"never")
        session.rollback()
    assert sequences(store) == []
    assert put(engine, store, b"first") == [1]


def test_writers_at_the_same_time_leave_no_gap(engine: Engine, store: LinkStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        taken = pool.map(lambda _: put(engine, store, b"x", b"y"), range(20))
        numbers = [number for pair in taken for number in pair]
    assert sorted(numbers) == list(range(1, 41))
    assert sequences(store) == list(range(1, 41))


def test_pending_is_bounded_in_records_and_bytes(engine: Engine, store: LinkStore) -> None:
    put(engine, store, b"x" * 100, b"x" * 100, b"x" * 100, b"x" * 1000)
    assert len(store.pending("server", 0, limit=2)) == 2
    assert len(store.pending("server", 0, limit=9, max_bytes=250)) == 2
    assert len(store.pending("server", 3, limit=9, max_bytes=250)) == 1  # a large one alone


def test_a_record_that_no_link_would_carry_is_refused(engine: Engine, store: LinkStore) -> None:
    with pytest.raises(ValueError, match="at most"):
        put(engine, store, b"x" * (MAX_RECORD + 1))


def test_acknowledged_records_are_kept_a_while_for_a_restored_peer(
    engine: Engine, store: LinkStore, clock: Clock
) -> None:
    put(engine, store, b"a", b"b", b"c")
    store.acknowledge("server", store.epoch, 2)
    assert store.waiting("server") == 1
    assert sequences(store) == [1, 2, 3]  # still there for one who asks for them
    clock.now += WEEK.total_seconds() - 1
    assert store.prune(clock.now) == 0
    assert store.prune(clock.now + 2) == 2
    assert sequences(store) == [3]


def test_what_was_acknowledged_before_the_time_was_known_is_kept_as_long(
    engine: Engine, clock: Clock, store: LinkStore
) -> None:
    clock.now = 0.0
    put(engine, store, b"a")
    store.acknowledge("server", store.epoch, 1)
    assert store.prune(clock.now) == 0
    assert store.prune(NOW) == 0
    assert store.prune(NOW + WEEK.total_seconds()) == 0
    assert store.prune(NOW + WEEK.total_seconds() + 1) == 1


def test_nothing_is_kept_where_nothing_shall_be_kept(engine: Engine) -> None:
    store = LinkStore(engine, keep_acknowledged=timedelta(0))
    put(engine, store, b"a", b"b", b"c")
    store.acknowledge("server", store.epoch, 2)
    with Session(reading(engine)) as session:
        assert session.scalars(select(LinkOutbox.body)).all() == [b"c"]


def test_the_tier_hears_of_each_acknowledgement_once_in_its_transaction(
    engine: Engine, store: LinkStore
) -> None:
    heard: list[list[int]] = []

    def hook(_session: Session, peer: str, taken: Sequence[int]) -> None:
        assert peer == "server"
        heard.append(list(taken))

    def broken(_session: Session, _peer: str, _taken: Sequence[int]) -> None:
        raise RuntimeError("disk full")

    put(engine, store, b"a", b"b", b"c")
    with pytest.raises(RuntimeError, match="disk full"):
        store.acknowledge("server", store.epoch, 2, broken)
    assert store.waiting("server") == 3  # rolled back together
    store.acknowledge("server", store.epoch, 2, hook)
    store.acknowledge("server", store.epoch, 2, hook)
    store.acknowledge("server", store.epoch, 3, hook)
    assert heard == [[1, 2], [3]]


def test_an_acknowledgement_of_another_epoch_changes_nothing(
    engine: Engine, store: LinkStore
) -> None:
    put(engine, store, b"a")
    store.acknowledge("server", store.epoch - 1, 1)
    assert store.waiting("server") == 1


def test_each_epoch_is_higher_than_the_last_even_when_the_clock_goes_back(
    store: LinkStore, clock: Clock
) -> None:
    first = store.epoch
    assert store.epoch == first == int(NOW * 1000)
    clock.now += 60
    second = store.renew_epoch()
    assert second == int(clock.now * 1000)
    clock.now = 5.0
    assert store.renew_epoch() == second + 1
    assert store.epoch == second + 1


def collect(into: list[bytes]) -> Any:
    def apply(_session: Session, _peer: str, _kind: str, body: bytes) -> None:
        into.append(body)

    return apply


def record(sequence: int, body: bytes = b"") -> DurableRecord:
    return DurableRecord(sequence, "entry", body)


def test_a_record_takes_effect_once_however_often_it_comes(store: LinkStore) -> None:
    effects: list[bytes] = []
    store.take("door", 5, [record(1, b"a"), record(2, b"b")], collect(effects))
    store.take("door", 5, [record(1, b"a"), record(2, b"b"), record(4, b"d")], collect(effects))
    store.take("other", 5, [record(1, b"o")], collect(effects))
    assert effects == [b"a", b"b", b"d", b"o"]
    assert (store.marks("door").seen_epoch, store.marks("door").seen_sequence) == (5, 4)


def test_a_new_epoch_is_another_log_and_an_old_one_has_no_effect(store: LinkStore) -> None:
    effects: list[bytes] = []
    store.take("door", 5, [record(7, b"old log")], collect(effects))
    store.meet("door", 6)
    assert store.marks("door") == Marks(store.epoch, 1, seen_epoch=6, seen_sequence=0)
    store.meet("door", 5)  # a lower one changes nothing
    store.take("door", 5, [record(8, b"too late")], collect(effects))
    store.take("door", 6, [record(1, b"new log")], collect(effects))
    assert effects == [b"old log", b"new log"]


def test_mark_and_effect_are_one(store: LinkStore) -> None:
    def half(session: Session, _peer: str, _kind: str, body: bytes) -> None:
        store.put(session, "server", "entry", body)
        if body == b"bad":
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        store.take("door", 5, [record(1, b"good"), record(2, b"bad")], half)
    assert store.marks("door").seen_sequence == 0
    assert sequences(store) == []


@pytest.mark.parametrize("refusal", [RecordRefused("nonsense"), MalformedMessage("nonsense")])
def test_a_refused_record_is_skipped_without_a_trace(
    store: LinkStore, refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def apply(session: Session, _peer: str, _kind: str, body: bytes) -> None:
        store.put(session, "server", "entry", body)
        if body == b"bad":
            raise refusal

    store.take("door", 5, [record(1, b"a"), record(2, b"bad"), record(3, b"c")], apply)
    assert [one.body for one in store.pending("server", 0, limit=9)] == [b"a", b"c"]
    assert store.marks("door").seen_sequence == 3
    assert "record refused peer=door sequence=2 kind=entry" in caplog.text


def test_a_forgotten_peer_starts_anew_but_misses_nothing_new(
    engine: Engine, store: LinkStore
) -> None:
    put(engine, store, b"a", b"b")
    store.take("server", 5, [record(9)], collect([]))
    with Session(engine) as session, session.begin():
        store.forget_peer(session, "server")
    assert store.marks("server") == Marks(store.epoch, 3, seen_epoch=0, seen_sequence=0)
    assert sequences(store) == []
    assert put(engine, store, b"c") == [3]


class Reversed:
    """A cipher that anyone can see through, to tell stored from plain."""

    def encrypt(self, peer: str, body: bytes) -> bytes:
        return f"for {peer}:".encode() + body[::-1]

    def decrypt(self, peer: str, stored: bytes) -> bytes:
        return stored.removeprefix(f"for {peer}:".encode())[::-1]


def test_bodies_rest_encrypted_where_a_cipher_is_given(engine: Engine) -> None:
    store = LinkStore(engine, keep_acknowledged=WEEK, cipher=Reversed())
    put(engine, store, b"template")
    with Session(reading(engine)) as session:
        assert session.scalars(select(LinkOutbox.body)).all() == [b"for server:etalpmet"]
    assert store.pending("server", 0, limit=1)[0].body == b"template"


def test_what_waits_is_rewritten_for_one_peer_in_its_place(engine: Engine) -> None:
    store = LinkStore(engine, keep_acknowledged=WEEK, cipher=Reversed())
    put(engine, store, b"a", b"b", b"c")
    put(engine, store, b"b", peer="other")
    with Session(engine) as session, session.begin():
        store.rewrite(session, "server", lambda _, body: b"new" if body == b"b" else None)
    assert [record.body for record in store.pending("server", 0, limit=9)] == [b"a", b"new", b"c"]
    assert [record.body for record in store.pending("other", 0, limit=9)] == [b"b"]
    assert sequences(store) == [1, 2, 3]


def test_only_what_was_acknowledged_can_be_dropped_before_its_time(
    engine: Engine, store: LinkStore
) -> None:
    put(engine, store, b"a", b"b", b"c")
    put(engine, store, b"another's", peer="other")
    store.acknowledge("server", store.epoch, 2)
    with Session(engine) as session, session.begin():
        assert store.drop_acknowledged(session, "server", [1, 3]) == 1
    assert sequences(store) == [2, 3]
    assert store.waiting("server") == store.waiting("other") == 1
