"""A door holds what the server sent, sealed, and memory follows the disk."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from door_terminal.database import RosterPersonRow
from door_terminal.device_keys import DeviceKey
from door_terminal.roster import Roster, unit_key
from tests.door_terminal.samples import SPACE, packed, person, unit_vector
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import (
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
    WeeklyWindow,
    roster_hash,
)

ADA = person("a", template=packed(unit_vector(1)), pin="$argon2id$…", unit="3-1-1201")
BAO = person("b", template=packed(unit_vector(2)))
CHEN = person("c", category="visitor", valid_until=1_800_000_000)


@pytest.fixture
def roster(engine: Engine, key: DeviceKey) -> Roster:
    return Roster(engine, key, "door")


def delta(
    engine: Engine,
    roster: Roster,
    version: int,
    *people: RosterPerson,
    removed: tuple[str, ...] = (),
) -> None:
    with Session(engine) as session, session.begin():
        roster.take_delta(session, RosterDelta(version, people, removed), SPACE)


def snapshot(
    engine: Engine, roster: Roster, version: int, *parts: tuple[RosterPerson, ...]
) -> None:
    for number, people in enumerate(parts):
        with Session(engine) as session, session.begin():
            roster.take_snapshot(
                session, RosterSnapshot(version, number, len(parts), people), SPACE
            )


def names(roster: Roster) -> set[str]:
    return {one[0] for one in roster.book.people}


def test_a_fresh_door_holds_nobody_and_says_so(roster: Roster) -> None:
    assert roster.book.digest == roster_hash(())
    assert roster.book.nearest(unit_vector(1)) is None


def test_a_delta_takes_effect_at_once(engine: Engine, roster: Roster) -> None:
    delta(engine, roster, 1, ADA, BAO)
    found = roster.book.nearest(unit_vector(2))
    assert found is not None
    assert found[0] == BAO.person
    assert found[1] == pytest.approx(1, abs=1e-5)
    delta(engine, roster, 2, removed=(BAO.person,))
    assert names(roster) == {"a"}
    nearest = roster.book.nearest(unit_vector(2))
    assert nearest is not None
    assert nearest[0] == ADA.person
    assert roster.book.digest == roster_hash([ADA])


def test_a_person_who_loses_the_template_is_not_found_by_face(
    engine: Engine, roster: Roster
) -> None:
    delta(engine, roster, 1, ADA)
    delta(engine, roster, 2, person("a", pin="$argon2id$…"))
    assert roster.book.nearest(unit_vector(1)) is None
    assert [one.person for one in roster.book.in_unit("3 1 1201")] == [ADA.person]


def test_an_old_delta_brings_nobody_back(engine: Engine, roster: Roster) -> None:
    delta(engine, roster, 1, ADA, BAO)
    delta(engine, roster, 5, removed=(BAO.person,))
    delta(engine, roster, 4, BAO)
    assert names(roster) == {"a"}


def test_a_snapshot_replaces_the_roster_only_when_it_is_whole(
    engine: Engine, roster: Roster
) -> None:
    delta(engine, roster, 1, ADA)
    with Session(engine) as session, session.begin():
        roster.take_snapshot(session, RosterSnapshot(7, 0, 2, (BAO,)), SPACE)
    assert names(roster) == {"a"}
    with Session(engine) as session, session.begin():
        roster.take_snapshot(session, RosterSnapshot(7, 1, 2, (CHEN,)), SPACE)
    assert names(roster) == {"b", "c"}
    assert roster.book.version == 7


def test_a_snapshot_interrupted_by_a_restart_goes_on(
    engine: Engine, key: DeviceKey, roster: Roster
) -> None:
    with Session(engine) as session, session.begin():
        roster.take_snapshot(session, RosterSnapshot(7, 0, 2, (BAO,)), SPACE)
    again = Roster(engine, key, "door")
    with Session(engine) as session, session.begin():
        again.take_snapshot(session, RosterSnapshot(7, 1, 2, (CHEN,)), SPACE)
    assert names(again) == {"b", "c"}


def test_parts_of_two_snapshots_do_not_mix(engine: Engine, roster: Roster) -> None:
    with Session(engine) as session, session.begin():
        roster.take_snapshot(session, RosterSnapshot(7, 0, 2, (BAO,)), SPACE)
    with (
        pytest.raises(MalformedMessage),
        Session(engine) as session,
        session.begin(),
    ):
        roster.take_snapshot(session, RosterSnapshot(8, 1, 2, (CHEN,)), SPACE)
    assert names(roster) == set()


def test_what_is_rolled_back_never_was(engine: Engine, roster: Roster) -> None:
    with Session(engine) as session:
        roster.take_delta(session, RosterDelta(1, (ADA,)), SPACE)
        session.rollback()
    assert names(roster) == set()
    assert roster.book.version == 0


def test_the_roster_survives_a_restart(engine: Engine, key: DeviceKey, roster: Roster) -> None:
    snapshot(engine, roster, 3, (ADA, BAO), (CHEN,))
    again = Roster(engine, key, "door").book
    assert again.digest == roster.book.digest == roster_hash([ADA, BAO, CHEN])
    assert again.version == 3


def test_no_template_unit_or_pin_is_readable_on_the_disk(
    engine: Engine, roster: Roster, tmp_path: Path
) -> None:
    secret = person(
        "d", unit="canary-unit-77", pin="canary-pin-hash", template=packed(unit_vector(9))
    )
    snapshot(engine, roster, 1, (secret,), (ADA,))
    delta(engine, roster, 2, BAO)
    kept = b"".join(one.read_bytes() for one in tmp_path.glob("door.sqlite*"))
    assert secret.person.encode() in kept  # the search does find what is there in the clear
    for canary in (b"canary-unit-77", b"canary-pin-hash", secret.template[:64]):
        assert canary not in kept


def test_a_row_moved_to_another_person_is_left_out(
    engine: Engine, key: DeviceKey, roster: Roster
) -> None:
    delta(engine, roster, 1, ADA, BAO)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE roster_people SET sealed ="
            " (SELECT sealed FROM roster_people WHERE person = ?) WHERE person = ?",
            (ADA.person, BAO.person),
        )
    again = Roster(engine, key, "door")
    assert names(again) == {"a"}
    assert again.book.digest != roster_hash([ADA, BAO])


def test_a_window_that_means_nothing_refuses_the_record(engine: Engine, roster: Roster) -> None:
    nonsense = person("e", windows=(WeeklyWindow(1, 1440, 1440),))
    with pytest.raises(MalformedMessage), Session(engine) as session, session.begin():
        roster.take_delta(session, RosterDelta(1, (nonsense,)), SPACE)
    assert names(roster) == set()


@pytest.mark.parametrize("typed", ["3-1-1201", "3 1 1201", "311201", " 3_1/1201 "])
def test_a_unit_is_found_however_it_is_typed(typed: str) -> None:
    assert unit_key(typed) == unit_key("3-1-1201")


def test_who_has_left_is_in_no_file_once_it_is_wiped(
    engine: Engine, roster: Roster, tmp_path: Path
) -> None:
    roster.wipe()
    delta(engine, roster, 1, ADA, BAO)
    with Session(engine) as session:
        row = session.get(RosterPersonRow, ADA.person)
        assert row is not None
        sealed = row.sealed

    def held() -> bool:
        return any(sealed[:64] in file.read_bytes() for file in tmp_path.glob("door.sqlite*"))

    delta(engine, roster, 2, removed=(ADA.person,))
    assert held()  # in the log of writes
    roster.wipe()
    assert not held()
