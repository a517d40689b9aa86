"""Who moves out loses their doors at that moment, and is erased or kept as was said."""

import pytest

from community_server.database import now
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.households.routes import drop_household, whole
from community_server.people.routes import (
    MoveOut,
    PersonChange,
    alter,
    details,
    let_go,
    listing,
    new_pin,
)
from community_server.sweeper import Sweeper
from tests.community_server.bench import STAFF, Bench

LATER = 3600


def someone(bench: Bench, unit: str) -> str:
    _, person = bench.invite(name="Ada", unit=unit)
    new_pin(bench.estate, person, STAFF)
    return person


def may_pass(bench: Bench, person: str, moment: int) -> bool:
    row = bench.estate.book.find(person)
    return row is not None and row.belongs_at("any door", moment, bench.estate.book.groups)


def home_of(bench: Bench, person: str) -> str:
    return listing(bench.estate, [person])[0].household


def test_a_resident_lives_in_the_unit_that_the_invitation_names(bench: Bench) -> None:
    first, second = someone(bench, "7-1-301"), someone(bench, "7-1-301")
    shown = whole(bench.estate, home_of(bench, first))
    assert (shown.building, shown.number, shown.unit) == ("7", "1-301", "7-1-301")
    assert set(shown.people) == {first, second}


def test_who_moves_to_another_unit_gets_a_new_pin_there(bench: Bench) -> None:
    person = someone(bench, "7-302")
    alter(bench.estate, person, PersonChange(unit="8-101"), STAFF)
    row = bench.estate.book.find(person)
    assert row is not None
    assert (row.roster.unit, row.roster.pin) == ("8-101", "")
    assert whole(bench.estate, home_of(bench, person)).unit == "8-101"
    _, unit = new_pin(bench.estate, person, STAFF)
    assert unit == "8-101"


@pytest.mark.parametrize("erased", [True, False])
def test_doors_close_at_the_moment_of_moving_out(bench: Bench, *, erased: bool) -> None:
    person = someone(bench, "7-303")
    home = home_of(bench, person)
    at = now() + LATER
    assert not let_go(bench.estate, person, MoveOut(at=at, erased=erased), STAFF)
    assert may_pass(bench, person, at - 1)
    assert not may_pass(bench, person, at)
    with pytest.raises(Conflict):
        drop_household(bench.estate, home, STAFF)

    let_go(bench.estate, person, MoveOut(at=0), STAFF)
    assert may_pass(bench, person, at)

    let_go(bench.estate, person, MoveOut(at=now() + 1, erased=erased), STAFF)
    sweeper = Sweeper.of(bench.estate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("community_server.sweeper.now", lambda: at)
        sweeper.sweep()
    assert (listing(bench.estate, [person]) == []) is erased
    assert (bench.estate.name_of(person) == "") is erased
    drop_household(bench.estate, home, STAFF)
    with pytest.raises(NotFound):
        whole(bench.estate, home)


def test_a_time_that_has_come_takes_effect_at_once(bench: Bench) -> None:
    person = someone(bench, "7-304")
    assert let_go(bench.estate, person, MoveOut(at=now()), STAFF)
    assert not may_pass(bench, person, now())
    assert home_of(bench, person) == ""
    with pytest.raises(Conflict) as refused:
        let_go(bench.estate, person, MoveOut(at=now() + LATER), STAFF)
    assert refused.value.code == "lives-nowhere"


def test_another_end_of_somebodys_time_takes_the_move_back(bench: Bench) -> None:
    person = someone(bench, "7-305")
    let_go(bench.estate, person, MoveOut(at=now() + LATER, erased=True), STAFF)
    alter(bench.estate, person, PersonChange(valid_until=0), STAFF)
    (shown,) = listing(bench.estate, [person])
    assert (shown.moves_out, shown.erased_then, shown.valid_until) == (0, False, 0)


def test_a_unit_is_written_in_few_characters(bench: Bench) -> None:
    person = someone(bench, "7-306")
    for unit, code in (("7-", "unit-missing"), ("7-" + "x" * 33, "unit-long")):
        with pytest.raises(InputRefused) as refused:
            alter(bench.estate, person, PersonChange(unit=unit), STAFF)
        assert refused.value.code == code


def test_details_are_changed_and_kept_where_they_are_not_given(bench: Bench) -> None:
    person = someone(bench, "7-307")
    alter(bench.estate, person, PersonChange(phone="138 0013 8000", email="a@example.org"), STAFF)
    alter(bench.estate, person, PersonChange(name=" Grace "), STAFF)
    known = details(bench.estate, person)
    assert (known.name, known.phone, known.email) == ("Grace", "138 0013 8000", "a@example.org")
    assert bench.estate.name_of(person) == "Grace"
