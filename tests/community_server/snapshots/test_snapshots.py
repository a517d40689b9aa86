"""A picture of a refused face is kept where it is wanted, seen by few, and goes by itself."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.database import now
from community_server.doors.routes import DoorChange, alter
from community_server.erasure import remove_person
from community_server.estate import Estate
from community_server.settings import Settings
from community_server.snapshots import service
from community_server.snapshots.tables import Snapshot
from community_server.sweeper import Sweeper
from community_server.vault.tables import DataKey
from tests.community_server.bench import STAFF, Bench
from tests.community_server.in_process import InProcess, code
from tests.community_server.photos import jpeg
from tests.community_server.rosters.told import pair
from tests.community_server.traces import traces_in_the_end
from tier_link.errors import RequestRefused
from tier_link.estate_messages import ESTATE, DoorConfigured, EntryRecorded, SnapshotTaken


def picture(seed: int = 1, size: int = 112) -> bytes:
    return jpeg(np.random.default_rng(seed).integers(0, 255, (size, size, 3)).astype(np.uint8), 80)


@dataclass
class Gate:
    """A paired door of an estate, which says what a test wants."""

    estate: Estate
    door: str
    told: int = 0

    def snap(self, entry: str = "", data: bytes = b"") -> str:
        """Show the server whom the door refused; return the entry."""
        entry = entry or secrets.token_hex(16)
        taken = SnapshotTaken(entry, int(time.time() * 1000), data or picture())
        records = self.estate.doors._records
        answer = records.answer(self.door, ESTATE.kind(taken), ESTATE.encode(taken), 1e12)
        assert answer == b""
        return entry

    def tell(self, entry: str, *, granted: bool = False, person: str = "") -> None:
        """Let the entry itself arrive."""
        self.told += 1
        fields: dict[str, Any] = {
            "entry": entry,
            "door_sequence": self.told,
            "at": int(time.time() * 1000),
            "time_known": True,
            "direction": "both",
            "person": person,
            "category": "resident" if person else "",
            "credential": "face",
            "granted": granted,
            "reason": "within-rules" if granted else "not-recognized",
            "matched": "local",
            "took_ms": 1,
            "frames": 2,
        }
        record = EntryRecorded(**fields)
        with Session(self.estate.engine) as session, session.begin():
            records = self.estate.doors._records
            records.apply(session, self.door, ESTATE.kind(record), ESTATE.encode(record))

    def kept(self) -> list[str]:
        with self.estate.reading() as session:
            return list(session.scalars(select(Snapshot.entry)))

    def keys(self) -> int:
        with self.estate.reading() as session:
            owners = session.scalars(select(DataKey.owner)).all()
        return sum(owner.startswith("snapshot:") for owner in owners)


@pytest.fixture
def gate(estate: Estate) -> Iterator[Gate]:
    door = pair(Bench(estate), f"Gate {secrets.token_hex(3)}")
    alter(estate, door, DoorChange(snapshots=True), STAFF)
    yield Gate(estate, door)
    with estate.changer.change() as change:
        for row in change.session.scalars(select(Snapshot)):
            change.session.delete(row)


def test_no_door_takes_pictures_unless_staff_say_so_and_the_door_hears_of_it(gate: Gate) -> None:
    alter(gate.estate, gate.door, DoorChange(snapshots=False), STAFF)
    with pytest.raises(RequestRefused) as refused:
        gate.snap()
    assert refused.value.code == "snapshots-off"
    assert gate.kept() == []
    alter(gate.estate, gate.door, DoorChange(snapshots=True), STAFF)
    records = gate.estate.links.pending(gate.door, 0, limit=1000)
    told = [ESTATE.decode(one.kind, one.body) for one in records]
    wanted = [one.snapshots for one in told if isinstance(one, DoorConfigured)]
    assert wanted[-3:] == [True, False, True]


def test_a_picture_is_shown_to_those_who_may_and_each_look_is_in_the_audit_log(
    gate: Gate,
) -> None:
    data = picture(2)
    entry = gate.snap(data=data)
    with InProcess(gate.estate) as desk:
        # Until the entry itself has come nobody can say whose it is.
        assert code(desk.get(f"/api/v1/entries/{entry}/snapshot")) == "snapshot-unknown"
        gate.tell(entry)
        page = desk.get(f"/entries/why?entry={entry}")
        assert f'src="/entries/{entry}/snapshot"' in page.text
        shown = desk.get(f"/entries/{entry}/snapshot")
        assert shown.content == data
        assert shown.headers["cache-control"] == "no-store"
        assert desk.get(f"/api/v1/entries/{entry}/snapshot").content == data
    with gate.estate.reading() as session:
        looks = select(AuditRow).where(AuditRow.action == "see-snapshot", AuditRow.subject == entry)
        assert len(session.scalars(looks).all()) == 2


def test_nobody_who_was_let_in_is_shown_and_no_other_doors_entry(gate: Gate) -> None:
    first, late = secrets.token_hex(16), gate.snap()
    gate.tell(first, granted=True)
    with pytest.raises(RequestRefused) as refused:
        gate.snap(first)
    assert refused.value.code == "entry-unfit"
    gate.tell(late, granted=True)  # the picture came before it
    with InProcess(gate.estate) as desk:
        assert code(desk.get(f"/api/v1/entries/{late}/snapshot")) == "snapshot-unknown"


@pytest.mark.parametrize("data", [b"not a picture", picture(size=640)])
def test_only_small_faces_are_taken(gate: Gate, data: bytes) -> None:
    with pytest.raises(RequestRefused) as refused:
        gate.snap(data=data[:14_000])
    assert refused.value.code == "crop-malformed"
    assert gate.kept() == []


def test_the_same_picture_twice_is_one_and_a_flood_is_stopped(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_AN_HOUR", 2)
    entry = gate.snap()
    gate.snap(entry)
    gate.snap()
    with pytest.raises(RequestRefused) as refused:
        gate.snap()
    assert refused.value.code == "snapshots-too-many"
    assert len(gate.kept()) == 2


def test_pictures_go_by_themselves_with_their_keys(gate: Gate, settings: Settings) -> None:
    data = picture(7)
    old, young = gate.snap(data=data), gate.snap()
    hours = gate.estate.settings.snapshot_hours
    with gate.estate.changer.change() as change:
        aged = update(Snapshot).where(Snapshot.entry == old)
        change.session.execute(aged.values(taken_at=now() - hours * 3600 - 1))
    keys = gate.keys()
    Sweeper.of(gate.estate).sweep()
    assert gate.kept() == [young]
    assert gate.keys() == keys - 1
    # Sealed as it was, it stands nowhere in the clear either.
    assert traces_in_the_end(gate.estate, settings.data, [data[40:120]]) == []


def test_whoever_is_erased_takes_the_pictures_of_their_refusals_along(gate: Gate) -> None:
    _, person = Bench(gate.estate).invite(name="Ada")
    theirs, others = gate.snap(), gate.snap()
    gate.tell(theirs, person=person)
    gate.tell(others)
    with gate.estate.changer.change() as change:
        remove_person(change, gate.estate.links, person)
    assert gate.kept() == [others]
