"""People are found by what they may be found by, and by nothing else."""

from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.errors import InputRefused
from community_server.people.particulars import bare_phone
from community_server.people.pins import draw_pin
from community_server.people.routes import PersonChange, alter
from community_server.people.sealed_pins import open_pin, seal_pins_of_0_1
from community_server.people.service import issue_pin, limit_person, suspend_person
from community_server.people.tables import Person
from tests.community_server.bench import STAFF, Bench
from tests.community_server.traces import traces


def test_a_phone_is_the_same_however_it_is_written() -> None:
    assert bare_phone("138 0013 8000") == bare_phone("+86-138-0013-8000") == "13800138000"
    assert bare_phone("13800138000") == bare_phone("008613800138000")
    assert bare_phone("13800138000") != bare_phone("13800138001")
    assert bare_phone(" - ") == ""


def test_no_hash_of_a_phone_is_kept_that_could_be_tried_out(bench: Bench) -> None:
    _, person = bench.invite(name="Dora", unit="4-404")
    alter(bench.estate, person, PersonChange(phone="13800138000"), STAFF)
    with bench.estate.reading() as session:
        assert session.get_one(Person, person).phone_hash is None


def test_a_pin_has_six_digits_and_nobody_of_the_unit_shares_it() -> None:
    pin, hashed = draw_pin([])
    assert len(pin) == 6
    assert pin.isdigit()
    assert PasswordHasher().verify(hashed, pin)
    other, _ = draw_pin([hashed])
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(hashed, other)


def test_a_pins_hash_lies_sealed_and_so_does_one_that_release_0_1_left(bench: Bench) -> None:
    estate = bench.estate
    _, person = bench.invite(name="Dora", unit="4-405")
    with estate.changer.change() as change:
        pin, _ = issue_pin(change, person)
    with Session(estate.engine) as session, session.begin():
        row = session.get_one(Person, person)
        hashed = open_pin(partial(estate.safe.open, session), person, row.pin_hash)
        assert PasswordHasher().verify(hashed, pin)
        assert "$argon2" not in row.pin_hash
        row.pin_hash = hashed
        seal_pins_of_0_1(session, estate.safe)
        assert "$argon2" not in row.pin_hash
        assert open_pin(partial(estate.safe.open, session), person, row.pin_hash) == hashed


def test_a_new_pin_replaces_the_last_and_needs_no_face(bench: Bench) -> None:
    _, person = bench.invite(name="Dora", unit="4-404")
    with bench.estate.changer.change() as change:
        pin, unit = issue_pin(change, person)
    row = bench.estate.book.find(person)
    assert row is not None
    assert unit == row.roster.unit == "4-404"
    assert PasswordHasher().verify(row.roster.pin, pin)
    assert row.belongs_at("any door", now(), bench.estate.book.groups)


def test_suspension_and_the_end_of_a_stay_reach_the_roster_row(bench: Bench) -> None:
    _, person = bench.invite(name="Dora", unit="5-505")
    with bench.estate.changer.change() as change:
        issue_pin(change, person)
        suspend_person(change, person, suspended=True)
        limit_person(change, person, now() + 60)
    row = bench.estate.book.find(person)
    assert row is not None
    assert row.roster.suspended
    assert row.belongs_at("any door", now(), bench.estate.book.groups)
    assert not row.belongs_at("any door", now() + 60, bench.estate.book.groups)
    with bench.estate.changer.change() as change, pytest.raises(InputRefused):
        limit_person(change, person, now() - 5)


def test_names_and_phones_are_nowhere_in_the_clear(bench: Bench) -> None:
    canary = "Canary-Heron-90210"
    _, person = bench.invite(name=canary, unit="6-606")
    assert bench.estate.name_of(person) == canary
    folder = Path(bench.estate.settings.data)
    assert traces(bench.estate, folder, [canary.encode()]) == []
    with bench.estate.reading() as session:
        row = session.get_one(Person, person)
        assert canary not in repr(row.particulars)
