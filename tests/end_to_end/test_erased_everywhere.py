"""Somebody who was enrolled by photo at two doors is erased: no file anywhere gives them back.

One door is switched off all the while and comes back afterwards; a backup of before is restored.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy.orm import Session

from community_server.backups.commands import SECRET_VARIABLE
from community_server.keys.root import make_recovery_kit, root_key
from community_server.vault.erasure_key import open_erasure_keys
from community_server.vault.master_key import KeyFile
from community_server.vault.safe import Safe
from door_terminal.database import open_door_database
from door_terminal.device_keys import DeviceKey
from door_terminal.roster import Roster
from face_engine.models import default_folder, load_pack
from gatehouse.demo import enroll
from gatehouse.local_estate import EstateFailed, LocalEstate, run_command, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from tests.end_to_end.searching import files_with, needles
from tier_link.store import open_database

pytestmark = pytest.mark.long

NAME: Final = "Canary-4f8c1b7a-Kanarienvogel-九宫鸟"
PHONE: Final = "13900047211"


@dataclass
class Court:
    """An estate with two doors, and somebody whom both hold."""

    estate: LocalEstate
    near: str
    far: str
    person: str
    backups: Path

    def folder(self, door: str) -> Path:
        return self.estate.folder / f"door-{door}"

    @property
    def database(self) -> Path:
        return self.estate.folder / "server" / "server.sqlite"

    def back_up(self) -> Path:
        """Make a backup; return its data file."""
        run_command(["server", "backup", str(self.backups)], self.estate.server_environment)
        return max(self.backups.glob("data-*"), key=lambda file: file.stat().st_mtime_ns)

    def states(self) -> Mapping[str, str]:
        """Return how far the erasure has come, by door."""
        with self.estate.staff() as staff:
            (erasure,) = staff.call("GET", f"erasures?person={self.person}")
        return {one["door"]: one["state"] for one in erasure["doors"]}

    def kit(self) -> str:
        """Return what stands on the recovery kit, as it was shown at set-up."""
        vault = self.estate.folder / "server" / "vault"
        safe = Safe(open_erasure_keys(vault / "erasure.key", KeyFile(vault / "master.key")))
        engine = open_database(f"sqlite:///{self.database}")
        try:
            with Session(engine) as session:
                return make_recovery_kit(root_key(session, safe), "any", 0).secret
        finally:
            engine.dispose()


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    portrait, cutout = next(
        (one.portrait, one.cutout)
        for one in sample_people(load_pack(folder=default_folder()))
        if one.name == "Chen"
    )
    with LocalEstate(tmp_path / "estate") as estate:
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Canary Court")
        near, far = (estate.add_door(name, "") for name in ("Near", "Far"))
        enroll(estate, SamplePerson(NAME, portrait, cutout), "resident")
        for door in (near, far):
            estate.await_door(door, people=1)
        with estate.staff() as staff:
            (row,) = staff.call("GET", "people")
            staff.call("PATCH", f"people/{row['person']}", {"phone": PHONE})
        yield Court(estate, near, far, row["person"], tmp_path / "backups")


def rows(database: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def until_clean(wanted: Sequence[bytes], places: Sequence[Path]) -> None:
    """Wait until nothing of what is wanted is left in any file."""
    with suppress(EstateFailed):
        wait_for("every trace to be wiped", lambda: not files_with(wanted, places))
    assert files_with(wanted, places) == []


def template_at(court: Court, door: str, copy: Path) -> bytes:
    """Return the template that a door holds, read with the key on its own disk."""
    shutil.copytree(court.folder(door), copy)
    engine = open_door_database(f"sqlite:///{copy / 'door.sqlite'}")
    try:
        roster = Roster(engine, DeviceKey.open(copy), door)
        return roster.book.people[court.person].template
    finally:
        engine.dispose()


def test_no_table_log_or_backup_and_no_door_gives_back_who_was_erased(
    court: Court, tmp_path: Path
) -> None:
    estate, person = court.estate, court.person
    before = court.back_up()
    plain = [NAME.encode(), NAME[:28].encode(), PHONE.encode()]
    (sealed_template,) = rows(
        court.database, "SELECT sealed FROM templates WHERE person_id = ?", person
    )
    (particulars,) = rows(court.database, "SELECT particulars FROM people WHERE id = ?", person)
    (data_key,) = rows(
        court.database, "SELECT wrapped FROM data_keys WHERE owner = ?", f"person:{person}"
    )
    held = {
        door: rows(
            court.folder(door) / "door.sqlite",
            "SELECT sealed FROM roster_people WHERE person = ?",
            person,
        )[0][0]
        for door in (court.near, court.far)
    }
    estate.doors[court.far].stop()
    template = template_at(court, court.far, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy")
    wanted = [
        *plain,
        *needles(template),
        *needles(sealed_template[0]),
        *needles(particulars[0]),
        *needles(data_key[0]),
        *(piece for value in held.values() for piece in needles(value)),
    ]
    # What is looked for can be found where it stands.
    assert files_with(needles(sealed_template[0]), [estate.folder / "server"])
    assert files_with(needles(held[court.near]), [court.folder(court.near)])
    assert files_with(needles(held[court.far]), [court.folder(court.far)])
    assert files_with(plain, [estate.folder, court.backups]) == []

    with estate.staff() as staff:
        staff.call("DELETE", f"people/{person}")
    wait_for(
        "the near door to confirm",
        lambda: court.states() == {court.near: "confirmed", court.far: "waiting"},
    )
    places = [
        *(estate.folder / name for name in ("server", "cloud", "server.log", "cloud.log")),
        court.folder(court.near),
    ]
    until_clean(wanted, places)
    # A door that is off holds what it held, and the statement says that it has not confirmed.
    assert files_with(needles(held[court.far]), [court.folder(court.far)])

    court.back_up()
    estate.doors[court.far].start()
    wait_for("the far door to confirm", lambda: court.states()[court.far] == "confirmed")
    until_clean(wanted, [estate.folder])

    restored = tmp_path / "restored"
    environment = {
        **estate.server_environment,
        "GATEHOUSE_SERVER_DATA": str(restored),
        SECRET_VARIABLE: court.kit(),
    }
    said = run_command(["server", "restore", str(before)], environment)
    assert "1 people who were erased since are gone again" in said
    found = rows(restored / "server.sqlite", "SELECT id FROM people")
    assert found == []
    usable = [*plain, *needles(template), *needles(data_key[0])]
    assert files_with(usable, [restored, court.backups]) == []
