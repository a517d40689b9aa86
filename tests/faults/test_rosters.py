"""A roster that is interrupted goes on where it was, and one from the past is refused."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatehouse.local_estate import LocalEstate, run_command, wait_for
from tests.door_terminal.estate import DOOR, Estate, eventually, running_estate
from tests.door_terminal.processes import Door, in_step, pair, running_door
from tests.door_terminal.samples import QUICK, configured, packed, person, unit_vector
from tier_link.estate_messages import RosterPerson
from tier_link.events import DurableRecord

pytestmark = pytest.mark.long

PEOPLE = 3_000
PART = 30
SLOWLY_S = 0.03  # small parts, and not too quickly: there is to be time for cuts between them
UNIT, PIN, NEW_PIN = "3-1-1201", "482915", "730164"


def _estate_of_many() -> list[list[RosterPerson]]:
    resident = person("a", unit=UNIT, pin=QUICK.hash(NEW_PIN))
    others = [
        person("0", person=f"{number:032x}", unit=f"{number}", template=packed(unit_vector(number)))
        for number in range(1, PEOPLE)
    ]
    people = [*others, resident]
    return [people[at : at + PART] for at in range(0, PEOPLE, PART)]


class Transfer:
    """What an estate hands to its link: nothing that was acknowledged before a cut comes again."""

    def __init__(self, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
        self._estate = estate
        self._handed: list[int] = []
        self._pending = estate.store.pending
        self.cuts = [0]
        """The first record that was not acknowledged, at each cut."""
        monkeypatch.setattr(estate.store, "pending", self._watch)

    def _watch(self, peer: str, after: int, **_: Any) -> list[DurableRecord]:
        time.sleep(SLOWLY_S)
        records = self._pending(peer, after, limit=2)
        self._handed.extend(one.sequence for one in records)
        return records

    def await_parts(self, count: int) -> None:
        """Wait until so many more have been acknowledged."""
        before = self._estate.store.waiting(DOOR)
        eventually(lambda: self._estate.store.waiting(DOOR) <= before - count)

    def was_cut(self) -> None:
        """Look at what was handed over since the last cut; begin anew."""
        assert min(self._handed) >= self.cuts[-1]
        self._handed.clear()
        self.cuts.append(min(one.sequence for one in self._pending(DOOR, 0, limit=1)))


def test_a_snapshot_of_thousands_goes_on_after_each_cut_and_the_old_roster_counts_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, parts = tmp_path / "door", _estate_of_many()
    with running_estate(tmp_path / "server") as estate:
        pair(estate, data)
        estate.configure(configured())
        estate.enroll(person("a", unit=UNIT, pin=QUICK.hash(PIN)))
        with running_door(data) as door:
            in_step(estate)
            transfer = Transfer(estate, monkeypatch)
            estate.snapshot(parts)
            transfer.await_parts(10)
            door.kill()
            transfer.was_cut()
        with running_door(data) as door:
            transfer.await_parts(10)
            estate.down()
            transfer.was_cut()
            assert door.pin(UNIT, PIN)["granted"]
            assert not door.pin(UNIT, NEW_PIN)["granted"]
            estate.up()
            transfer.await_parts(10)
            door.kill()
            transfer.was_cut()
        with running_door(data) as door:
            in_step(estate)
            assert door.state()["people"] == PEOPLE
            assert door.pin(UNIT, NEW_PIN)["granted"]
        assert transfer.cuts == sorted(set(transfer.cuts)), "parts arrived between all cuts"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[LocalEstate, str]]:
    """A cloud, a server and a door without a camera."""
    with LocalEstate(tmp_path) as estate:
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Rollback Court")
        door = estate.add_door("Gate", "", gate="simulated")
        estate.await_door(door)
        yield estate, door


def _resident(estate: LocalEstate, name: str) -> tuple[str, str]:
    """Give somebody a PIN; return the unit and it."""
    with estate.staff() as staff:
        invitation = {"kind": "resident", "name": name, "unit": f"1-{name}"}
        staff.call("POST", "invitations", invitation)
        row = next(one for one in staff.call("GET", "people") if one["name"] == name)
        issued = staff.call("POST", f"people/{row['person']}/pin")
    return issued["unit"], issued["pin"]


@pytest.mark.soak  # the bad networks put a server back in a new epoch in the quick suite
def test_a_server_put_back_without_a_new_epoch_is_refused_and_the_door_keeps_what_it_knows(
    far: tuple[LocalEstate, str],
) -> None:
    estate, name = far
    door = _Page(estate.door_ports[name])
    old = _resident(estate, "Old")
    estate.await_door(name, people=1)
    estate.server.stop()
    database = estate.folder / "server" / "server.sqlite"
    backup = shutil.copy(database, estate.folder / "backup.sqlite")
    estate.start_server()
    new = _resident(estate, "New")
    estate.await_door(name, people=2)

    estate.server.stop()
    _put_back(Path(backup), database)
    estate.start_server()
    wait_for("the door to refuse", lambda: "lost-history" in estate.doors[name].log.read_text())
    assert not door.state()["link"]
    assert door.pin(*new)["granted"]
    assert door.pin(*old)["granted"]

    estate.server.stop()
    run_command(["server", "restored"], estate.server_environment)
    estate.start_server()
    estate.doors[name].kill()  # it would wait half a minute after a refusal
    estate.doors[name].start()
    estate.await_door(name, people=1)
    assert door.state()["people"] == 1
    assert door.pin(*old)["granted"]
    assert not door.pin(*new)["granted"], "the restored server knows nothing of them"


def _put_back(backup: Path, database: Path) -> None:
    for trace in database.parent.glob(f"{database.name}-*"):
        trace.unlink()
    shutil.copy(backup, database)


class _Page(Door):
    """A door's page on a port."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
