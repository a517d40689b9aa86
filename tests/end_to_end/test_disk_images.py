"""Images of disks that were switched off, without their keys: nobody can be read from them.

A server whose passphrase is in nobody's file, a *confidential* door, and an *available* one each
write on a disk of their own, with all temporary files and logs. The disks are then read as a thief
reads them, byte by byte: deleted files, journal and free blocks are among the bytes.
"""

import os
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import httpx
import msgspec
import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.keys.named_secrets import secret_context
from community_server.people.particulars import owner
from community_server.vault.master_key import PASSPHRASE_VARIABLE, Passphrase
from community_server.vault.safe import SERVER
from door_terminal.configuration import ConfigurationStore
from door_terminal.database import EntryRow, open_door_database
from door_terminal.device_keys import DeviceKey
from door_terminal.identity import load_pairing
from door_terminal.roster import Roster
from door_terminal.wire import read
from face_engine.models import default_folder, load_pack
from face_engine.rotation import turn
from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import enroll, submit_when_known
from gatehouse.enrollment_client import EnrollmentClient
from gatehouse.local_estate import LocalEstate, run_command, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from tests.end_to_end.forms_of import (
    phone_forms,
    photo_forms,
    pin_form,
    template_forms,
    text_forms,
)
from tests.end_to_end.keys_left import PINS, Opened, open_with_all, values_in
from tests.end_to_end.searching import files_with, needles
from tests.support.disk_images import attached, mounted
from tier_link.estate_messages import EntryRecorded

pytestmark = pytest.mark.long

NAME: Final = "Canary-4f8c1b7a-Kanarienvogel-九宫鸟"
WAITING: Final = "Waiting-9c51e0d2-Wartevogel-候鸟"
PHONE: Final = "13900047211"
UNIT: Final = "7-1707"
PASSPHRASE: Final = "four short words of nobody"  # noqa: S105 - of this test's own server
MEGABYTES: Final = 96
DOC: Final = Path(__file__).parents[2] / "docs" / "security.md"
PICTURES: Final = [
    re.compile(sign, re.DOTALL) for sign in (b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF....WEBP")
]
"""How files of pictures begin: JPEG, PNG and WebP."""
LARGEST_PICTURE: Final = 1 << 20


@dataclass
class Disks:
    """Images of the three disks, and what was written on them by its true values."""

    server: Path
    confidential: Path
    available: Path
    mounts: Path
    person: str = ""
    pin: str = ""
    doors: dict[str, str] = field(default_factory=dict)
    photos: Mapping[str, bytes] = field(default_factory=dict)

    def opened(self) -> Opened:
        """Open the server's disk with the passphrase, as its owner can."""
        with attached(self.server, self.mounts / "again") as folder:
            values = list(values_in(f"sqlite:///{folder / 'estate' / 'server' / 'server.sqlite'}"))
            vault = folder / "estate" / "server" / "vault"
            source = Passphrase(vault / "master.salt", lambda: PASSPHRASE)
            return open_with_all(vault, values, source)

    def forms(self, opened: Opened) -> dict[str, list[bytes]]:
        """Return the forms of all that could show or name somebody."""
        of_person = opened.of(owner(self.person))
        (context,) = (one for one in of_person if one.startswith("template/"))
        turned = np.frombuffer(of_person[context], "<f4")
        space = context.removeprefix("template/")
        matrix = np.frombuffer(opened.of(SERVER)[secret_context(f"matrix/{space}"[:64])], "<f4")
        plain = turn(turned, matrix.reshape(len(turned), len(turned)).T)
        return {
            "name": [*text_forms(NAME), *text_forms(WAITING)],
            "phone": phone_forms(PHONE),
            "template": [*template_forms(turned), *template_forms(plain)],
            "photo": [form for photo in self.photos.values() for form in photo_forms(photo)],
            "hash of the PIN": needles(of_person[PINS]),
        }


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Disks:
    folder = tmp_path_factory.mktemp("disks")
    server, confidential, available = (
        folder / f"{name}.img" for name in ("server", "confidential", "available")
    )
    found = Disks(server, confidential, available, folder / "mounts")
    with ExitStack() as stack:
        of_server, *of_doors = (
            stack.enter_context(mounted(image, folder / image.stem, megabytes=MEGABYTES))
            for image in (server, confidential, available)
        )
        temporary = of_server / "tmp"
        temporary.mkdir()
        environment = {
            "GATEHOUSE_SERVER_MASTER_KEY": "passphrase",
            PASSPHRASE_VARIABLE: PASSPHRASE,
            "TMPDIR": str(temporary),
            "HOME": str(temporary),
            "GATEHOUSE_MODELS": str(default_folder()),
        }
        feed = stack.enter_context(CameraFeed())
        with LocalEstate(of_server / "estate", environment=environment) as estate:
            places = {
                one.stem: disk / "data"
                for one, disk in zip((confidential, available), of_doors, strict=True)
            }
            _live(estate, feed, found, environment, places)
    return found


def _live(
    estate: LocalEstate,
    feed: CameraFeed,
    disks: Disks,
    environment: Mapping[str, str],
    places: Mapping[str, Path],
) -> None:
    """Let everything happen that leaves something behind, and end as a shutdown does."""
    sample = {one.name: one for one in sample_people(load_pack(folder=default_folder()))}
    chen = SamplePerson(NAME, sample["Chen"].portrait, sample["Chen"].cutout)
    estate.start_cloud()
    estate.start_server()
    estate.set_up("Quiet Court")
    for keys, place in places.items():
        camera = feed.url if keys == "confidential" else ""
        disks.doors[keys] = estate.add_door(keys, camera, keys=keys, data=str(place))
        estate.await_door(disks.doors[keys])
    enroll(estate, chen, "resident")
    with estate.staff() as staff:
        (row,) = staff.call("GET", "people")
        disks.person = row["person"]
        staff.call("PATCH", f"people/{disks.person}", {"phone": PHONE, "unit": UNIT})
        disks.pin = staff.call("POST", f"people/{disks.person}/pin")["pin"]
        staff.call("POST", f"people/{disks.person}/cards", {"number": "188,24910"})
        staff.call("PATCH", f"doors/{disks.doors['confidential']}", {"snapshots": True})
    disks.photos = {NAME: chen.portrait, WAITING: sample["Dora"].portrait}
    _leave_waiting(estate, SamplePerson(WAITING, sample["Dora"].portrait, sample["Dora"].cutout))
    for door in disks.doors.values():
        estate.await_door(door, people=1)
        address = f"http://127.0.0.1:{estate.door_ports[door]}/pin"
        typed = {"unit": UNIT, "pin": disks.pin}
        wait_for("the PIN to open", lambda address=address, typed=typed: _granted(address, typed))  # type: ignore[misc] # the defaults bind this round's door
    feed.show(walk_up(sample["Fang"].cutout, np.random.default_rng(0), seconds=2.5))
    _await_row(estate.folder / "server" / "server.sqlite", "snapshots")
    _await_row(places["available"] / "door.sqlite", "audit_copy")
    backups = estate.folder / "backups"
    run_command(["server", "backup", str(backups)], {**estate.server_environment, **environment})


def _leave_waiting(estate: LocalEstate, person: SamplePerson) -> None:
    with estate.staff() as staff, estate.public() as http:
        wanted = {"kind": "resident", "name": person.name, "unit": "1-101"}
        link = staff.call("POST", "invitations", wanted)["link"]
        client = EnrollmentClient(http)
        submission = submit_when_known(client, link, person)
        assert next(client.replies(submission, seconds=60)).outcome == "received"


def _granted(address: str, typed: Mapping[str, str]) -> bool:
    try:
        told = httpx.post(address, json=typed, trust_env=False, timeout=30)
    except httpx.TransportError:
        return False
    return bool(told.json().get("granted"))


def _await_row(file: Path, table: str) -> None:
    engine = sa.create_engine(f"sqlite:///{file}")
    wait_for(f"a row of {table} in {file}", lambda: _count(engine, table))
    engine.dispose()


def _count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0)


def pictures_in(image: Path) -> list[int]:
    """Return where in an image a picture begins that can be shown."""
    content = image.read_bytes()
    starts = [found.start() for sign in PICTURES for found in sign.finditer(content)]
    return [at for at in starts if _shows(content[at : at + LARGEST_PICTURE])]


def _shows(data: bytes) -> bool:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return picture is not None and min(picture.shape[:2]) >= 16


def test_a_servers_and_a_confidential_doors_disk_give_nobody_away_without_their_keys(
    disks: Disks,
) -> None:
    opened = disks.opened()
    assert any(NAME.encode() in plain for plain in opened.plain.values())
    assert any(disks.photos[WAITING] == plain for plain in opened.plain.values())
    taken = [disks.server, disks.confidential]
    for what, forms in disks.forms(opened).items():
        assert files_with(forms, taken) == [], f"the {what} can be read"
    for image in taken:
        assert not pin_form(disks.pin).search(image.read_bytes()), "the PIN can be read"
        assert pictures_in(image) == []
    # What names and shows them is there, sealed.
    sealed = [piece for value in opened.plain for piece in needles(value.sealed)]
    assert files_with(sealed, [disks.server]) == [str(disks.server)]
    assert disks.person.encode() in disks.confidential.read_bytes()
    assert PASSPHRASE.encode() not in disks.server.read_bytes()


def test_the_search_finds_each_form_of_each_where_it_was_written_and_deleted(
    disks: Disks, tmp_path: Path
) -> None:
    forms = disks.forms(disks.opened())
    image = tmp_path / "control.img"
    written = {form for wanted in forms.values() for form in wanted}
    written |= {disks.photos[NAME], f"pin={disks.pin}\n".encode()}
    with mounted(image, tmp_path / "control", megabytes=16) as disk:
        notes = [disk / str(number) for number in range(len(written))]
        for note, form in zip(notes, written, strict=True):
            note.write_bytes(bytes(7) + form + bytes(7))
        os.sync()  # else what is deleted soon is never written at all
        for note in notes:
            note.unlink()
    for what, wanted in forms.items():
        for form in set(wanted):
            assert files_with([form], [image]), f"the {what} is not found as {form!r}"
        assert files_with(wanted, [image])
    assert pin_form(disks.pin).search(image.read_bytes())
    assert pictures_in(image)


def test_an_available_doors_disk_gives_away_what_the_table_says_and_nothing_else(
    disks: Disks, tmp_path: Path
) -> None:
    with attached(disks.available, tmp_path / "stolen") as disk:
        given_away = _read_alone(disk / "data", disks.person)
    assert given_away == _stated(DOC.read_text("utf-8"))
    for what, forms in disks.forms(disks.opened()).items():
        if what != "template":  # which the door's own key seals, beside it
            assert files_with(forms, [disks.available]) == [], f"the {what} can be read"
    assert not pin_form(disks.pin).search(disks.available.read_bytes())
    assert pictures_in(disks.available) == []


def _read_alone(folder: Path, person: str) -> set[str]:
    """Return the names of all that can be read with nothing but a door's disk."""
    pairing = load_pairing(folder)
    engine = open_door_database(f"sqlite:///{folder / 'door.sqlite'}")
    try:
        key = DeviceKey.open(folder)
        row = Roster(engine, key, pairing.door).book.people[person]
        current = ConfigurationStore(engine, key, pairing.door).current
        assert current is not None
        with Session(engine) as session:
            entries = [read(EntryRecorded, one) for one in session.scalars(select(EntryRow.body))]
        tables = {name for name in sa.inspect(engine).get_table_names() if _count(engine, name)}
    finally:
        engine.dispose()
    return (
        {f"file {one.name}" for one in folder.iterdir() if one.is_file()}
        | {f"table {name}" for name in tables}
        | {f"pairing {name}" for name in _filled(pairing)}
        | {f"roster {name}" for name in _filled(row)}
        | {f"configuration {name}" for name in _filled(current.wire, but=(bool, int, float))}
        | {f"entry {name}" for one in entries for name in _filled(one)}
    )


def _filled(one: msgspec.Struct, but: tuple[type, ...] = ()) -> set[str]:
    """Return the fields that say something; the configuration's switches and numbers do not."""
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return {name for name, value in values.items() if value and not isinstance(value, but)}


def _stated(text: str) -> set[str]:
    """Return what the table of the documentation names: `place name`, in its second column."""
    _, _, after = text.partition("| an *available* door's disk gives away |")
    table, _, _ = after.partition("\n\n")
    return {
        f"{place} {name}"
        for place, names in re.findall(r"([a-z]+) ((?:`[^`]+`(?:, )?)+)", table)
        for name in re.findall(r"`([^`]+)`", names)
    }
