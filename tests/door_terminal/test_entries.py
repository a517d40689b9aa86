"""No decision is lost: not by a full disk, not by the power, not by a restart."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from access_rules.decision import DecisionReason
from access_rules.people import Category, Credential, Direction, Person
from door_terminal.clock import ClockRecord, EffectiveClock
from door_terminal.database import EntryRow
from door_terminal.entries import Attempt, EntryLog
from door_terminal.errors import NotRecordable
from door_terminal.reserve import Reserve, keep_ballast, release_ballast
from tests.door_terminal.conftest import Time
from tier_link.estate_messages import ESTATE, EntryRecorded
from tier_link.store import LinkStore

GRANTED = Attempt(
    granted=True,
    reason=DecisionReason.WITHIN_RULES,
    credential=Credential.FACE,
    person=Person("a" * 32, Category.RESIDENT),
    direction=Direction.IN,
    matched="local",
    took_ms=41.7,
    frames=2,
)


class Log:
    """An entry log over one data folder, started anew at will."""

    def __init__(self, engine: Engine, clock: EffectiveClock, folder: Path) -> None:
        self.engine, self.clock, self.folder = engine, clock, folder
        self.store = LinkStore(engine, keep_acknowledged=timedelta(days=7), clock=lambda: 1000.0)
        self.start()

    def start(self) -> None:
        self.reserve = Reserve(self.folder / "reserve", slots=3)
        self.reserve.open()
        self.entries = EntryLog(self.engine, self.store, "server", self.clock, self.reserve)

    def sent(self) -> list[EntryRecorded]:
        records = self.store.pending("server", 0, limit=1000)
        messages = [ESTATE.decode(one.kind, one.body) for one in records]
        return [one for one in messages if isinstance(one, EntryRecorded)]

    def fill_disk(self) -> list[EntryRecorded]:
        """Let SQLite believe that the disk is full; return the entries made until it noticed.

        The last of them is the first in the reserve.
        """
        with self.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        made = []
        while len(self.reserve) == 0:
            made.append(self.entries.record(GRANTED))
        return made

    def free_disk(self) -> None:
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")


@pytest.fixture
def log(engine: Engine, clock: EffectiveClock, tmp_path: Path) -> Log:
    return Log(engine, clock, tmp_path)


def test_an_entry_and_its_message_are_one_transaction(log: Log) -> None:
    recorded = log.entries.record(GRANTED)
    assert log.sent() == [recorded]
    assert (recorded.at, recorded.took_ms, recorded.reason) == (
        1_795_000_000_000,
        42,
        "within-rules",
    )
    with Session(log.engine) as session:
        rows = session.scalars(select(EntryRow)).all()
    assert [(row.entry, row.door_sequence) for row in rows] == [(recorded.entry, 1)]


def test_a_door_that_does_not_know_the_time_says_so(
    engine: Engine, time: Time, tmp_path: Path
) -> None:
    clockless = EffectiveClock(ClockRecord(), time.machine(), longest_lease_s=lambda: 1)
    recorded = Log(engine, clockless, tmp_path).entries.record(GRANTED)
    assert (recorded.at, recorded.time_known) == (0, False)


def test_entries_are_counted_on_after_a_restart(log: Log) -> None:
    log.entries.record(GRANTED)
    log.start()
    assert log.entries.record(GRANTED).door_sequence == 2


def test_the_reserve_is_there_after_a_power_cut_before_it_takes_an_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's own sync does not make its name durable: the folder's does, once it has the name."""
    path, real = tmp_path / "reserve", os.fsync
    names_synced: list[set[str]] = []

    def watched(descriptor: int) -> None:
        if os.path.samestat(os.fstat(descriptor), tmp_path.stat()):
            names_synced.append({one.name for one in tmp_path.iterdir()})
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    Reserve(path, slots=3).open()
    assert names_synced == [{"reserve"}]


def test_a_full_disk_sends_entries_to_the_reserve_and_later_to_the_server(log: Log) -> None:
    made = log.fill_disk()
    made += [log.entries.record(GRANTED) for _ in range(2)]
    assert len(log.reserve) == 3
    assert log.entries.unsent() == len(made)
    with pytest.raises(NotRecordable):
        log.entries.record(GRANTED)
    assert log.entries.drain_reserve() == 0
    log.free_disk()
    assert log.entries.drain_reserve() == 3
    assert log.sent() == made
    assert len(log.reserve) == 0


def test_the_reserve_survives_a_restart_and_keeps_the_count(log: Log) -> None:
    kept = log.fill_disk()[-1]
    log.start()
    assert log.entries.record(GRANTED).door_sequence == kept.door_sequence + 1


def test_power_lost_between_database_and_reserve_doubles_nothing(log: Log) -> None:
    made = log.fill_disk()
    log.free_disk()
    ((slot, payload),) = log.reserve.waiting()
    log.entries.drain_reserve()
    log.reserve.put(payload)  # as if the slot had not been cleared any more
    assert slot == 0
    log.start()
    assert log.entries.drain_reserve() == 1
    assert log.sent() == made


def test_a_slot_torn_by_a_power_cut_is_free_again(log: Log, tmp_path: Path) -> None:
    log.reserve.put(b"whole")
    log.reserve.close()
    data = bytearray((tmp_path / "reserve").read_bytes())
    data[12] ^= 0xFF
    (tmp_path / "reserve").write_bytes(data)
    log.start()
    assert len(log.reserve) == 0


def test_acknowledged_entries_go_when_the_link_forgets_them(log: Log) -> None:
    for _ in range(3):
        log.entries.record(GRANTED)
    log.store.acknowledge("server", log.store.epoch, 2)
    log.entries.prune()
    with Session(log.engine) as session:
        assert len(session.scalars(select(EntryRow)).all()) == 3
    log.store.prune(now=1000 + 8 * 86400)
    log.entries.prune()
    with Session(log.engine) as session:
        assert [one.door_sequence for one in session.scalars(select(EntryRow))] == [3]
    assert len(log.sent()) == 1


def test_beyond_the_capacity_the_oldest_acknowledged_go_and_never_an_unsent_one(log: Log) -> None:
    made = [log.entries.record(GRANTED) for _ in range(10)]
    assert log.entries.make_room(capacity=4) == 0  # nothing acknowledged, nothing deleted
    log.store.acknowledge("server", log.store.epoch, 5)
    assert log.entries.make_room(capacity=10) == 0
    assert log.entries.make_room(capacity=8) == 2
    assert log.sent() == made[2:]
    assert log.entries.make_room(capacity=4) == 3
    assert log.sent() == made[5:]
    with Session(log.engine) as session:
        kept = session.scalars(select(EntryRow.entry).order_by(EntryRow.door_sequence)).all()
    assert list(kept) == [one.entry for one in made[5:]]
    log.store.acknowledge("server", log.store.epoch, 10)
    assert log.entries.make_room(capacity=0) == 4  # the newest stays, it counts
    log.start()
    assert log.entries.record(GRANTED).door_sequence == 11


def test_room_is_made_in_short_steps(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("door_terminal.entries.BATCH", 3)
    for _ in range(6):
        log.entries.record(GRANTED)
    log.store.acknowledge("server", log.store.epoch, 6)
    assert [log.entries.make_room(capacity=1) for _ in range(3)] == [3, 2, 0]


def test_the_log_fills_by_what_no_server_has_taken(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("door_terminal.entries.CAPACITY", 4)
    for _ in range(3):
        log.entries.record(GRANTED)
    assert log.entries.filled() == 0.75
    log.store.acknowledge("server", log.store.epoch, 2)
    assert log.entries.filled() == 0.25


def test_the_count_goes_on_after_everything_was_forgotten(log: Log) -> None:
    log.entries.record(GRANTED)
    log.store.acknowledge("server", log.store.epoch, 1)
    log.store.prune(now=1000 + 8 * 86400)
    log.entries.prune()
    log.start()
    assert log.entries.record(GRANTED).door_sequence == 2


def test_ballast_gives_room_at_the_next_start(tmp_path: Path) -> None:
    keep_ballast(tmp_path)
    assert (tmp_path / "ballast").stat().st_size == 1024 * 1024
    release_ballast(tmp_path)
    release_ballast(tmp_path)
    assert not (tmp_path / "ballast").exists()
