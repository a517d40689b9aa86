"""A door notices whose face fits less and less, keeps it sealed, and tells ids alone."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from door_terminal.database import MarginsRow, open_door_database
from door_terminal.decisions.margins import MarginBook
from door_terminal.device_keys import DeviceKey
from tests.door_terminal.samples import SPACE, packed, person, unit_vector
from tier_link.estate_messages import RosterPerson

ADA = person("a", template=packed(unit_vector(1)))
BAO = person("b", template=packed(unit_vector(2)))


class Door:
    def __init__(self, folder: Path) -> None:
        self.engine: Engine = open_door_database(f"sqlite:///{folder / 'door.sqlite'}")
        self.key = DeviceKey.open(folder)
        self.people: dict[str, RosterPerson] = {one.person: one for one in (ADA, BAO)}

    def margins(self) -> MarginBook:
        return MarginBook(self.engine, self.key, "door", lambda: self.people)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def _sink(book: MarginBook) -> None:
    for number in range(200):
        book.note(ADA, 0.01 + 0.04 * (number % 2))
        book.note(BAO, 0.30 + 0.02 * (number % 2))


def test_who_sinks_towards_the_threshold_is_told_also_after_a_restart(door: Door) -> None:
    book = door.margins()
    assert book.message(SPACE).people == ()
    _sink(book)
    assert book.message(SPACE).people == (ADA.person,)
    book.save()
    assert door.margins().message(SPACE).people == (ADA.person,)


def test_a_renewed_face_begins_anew_and_whoever_left_is_forgotten(door: Door) -> None:
    book = door.margins()
    _sink(book)
    door.people[ADA.person] = person("a", template=packed(unit_vector(3)))
    assert book.message(SPACE).people == ()
    door.people.pop(ADA.person)
    book.save()
    with Session(door.engine) as session:
        assert [row.person for row in session.query(MarginsRow)] == [BAO.person]


def test_what_is_stored_is_sealed_to_its_person(door: Door) -> None:
    book = door.margins()
    _sink(book)
    book.save()
    with Session(door.engine) as session, session.begin():
        ada, bao = (session.get(MarginsRow, one.person) for one in (ADA, BAO))
        assert ada is not None
        assert bao is not None
        ada.sealed, bao.sealed = bao.sealed, ada.sealed
    assert door.margins().message(SPACE).people == ()
