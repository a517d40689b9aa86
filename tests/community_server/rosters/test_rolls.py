"""What a roster hashes to is kept up change by change, and is always what a door makes of it."""

import contextlib
import secrets
from collections.abc import Callable, Collection
from random import Random

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from community_server.access.service import GroupWanted, change_group, list_groups
from community_server.database import now
from community_server.doors.service import get_door
from community_server.erasure import remove_person
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.service import (
    add_person,
    describe_person,
    issue_pin,
    limit_to_doors,
    suspend_person,
)
from community_server.people.tables import PersonDoor
from community_server.rosters.members import members_of
from community_server.rosters.rolls import Roll, Rolls
from tests.community_server.bench import Bench
from tests.community_server.rosters.told import pair, roster
from tier_link.estate_messages import RosterPerson, hash_of_rows, roster_hash, row_hash

STEPS = 40


class _PowerCut(Exception):
    """Ends a change before its commit."""


class Desk:
    """Makes changes of every kind, at random, of the same seed the same."""

    def __init__(self, bench: Bench, doors: list[str], random: Random) -> None:
        self.bench, self.doors, self.random = bench, doors, random
        self.people: list[str] = []

    def step(self) -> None:
        kinds: list[Callable[[], None]] = [self.join, self.join, self.fail, self.regroup, self.mend]
        if self.people:
            kinds += [self.suspend, self.move, self.rename, self.leave]
        self.random.choice(kinds)()

    def join(self) -> None:
        with self.bench.estate.changer.change() as change:
            row = add_person(change, category="resident", unit="1", known=Known(name="N"))
            issue_pin(change, row.id)
            self.people.append(row.id)

    def fail(self) -> None:
        with contextlib.suppress(_PowerCut), self.bench.estate.changer.change() as change:
            row = add_person(change, category="resident", unit="1", known=Known(name="N"))
            issue_pin(change, row.id)
            self.bench.estate.rosters.tell_doors(change)
            raise _PowerCut

    def mend(self) -> None:
        with self.bench.estate.changer.change() as change:
            door = get_door(change.session, self.random.choice(self.doors), lock=True)
            self.bench.estate.rosters.send_snapshot(change, door)

    def suspend(self) -> None:
        with self.bench.estate.changer.change() as change:
            suspend_person(
                change, self.random.choice(self.people), suspended=self.random.random() < 0.5
            )

    def move(self) -> None:
        person = self.random.choice(self.people)
        with self.bench.estate.changer.change() as change:
            change.session.execute(delete(PersonDoor).where(PersonDoor.person_id == person))
            limit_to_doors(change.session, person, self.random.sample(self.doors, 1))
            change.touch(person)

    def rename(self) -> None:
        with self.bench.estate.changer.change() as change:
            person = get_person(change.session, self.random.choice(self.people), lock=True)
            describe_person(change, person, Known(name=secrets.token_hex(4)))

    def regroup(self, *, every_door: bool = False) -> None:
        doors = frozenset() if every_door else frozenset(self.random.sample(self.doors, 2))
        with self.bench.estate.changer.change() as change:
            default = list_groups(change.session)[0]
            change_group(change, default.id, GroupWanted(default.name, every_door, doors))

    def leave(self) -> None:
        person = self.people.pop(self.random.randrange(len(self.people)))
        with self.bench.estate.changer.change() as change:
            remove_person(change, self.bench.estate.links, person)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_the_hash_is_right_after_any_changes_whenever_it_is_asked_for(
    bench: Bench, seed: int
) -> None:
    random = Random(seed)
    doors = [pair(bench, f"Door {seed}{number}") for number in range(3)]
    desk = Desk(bench, doors, random)
    estate = bench.estate
    for _ in range(STEPS):
        desk.step()
        for door in random.sample(doors, random.randrange(len(doors) + 1)):
            assert estate.rosters.state(door) == Rolls(estate.engine, estate.book).state(door)
    desk.regroup(every_door=True)
    for door in doors:
        assert roster(bench, door)  # checks the hash against what the door was told


def test_a_snapshot_is_not_taken_for_the_change_that_was_rolled_back_before_it(
    bench: Bench,
) -> None:
    door = pair(bench, "Gate")
    desk = Desk(bench, [door], Random(1))
    desk.join()
    estate = bench.estate
    estate.rosters.state(door)
    desk.fail()
    with estate.changer.change() as change:
        # Their time ends, of which nobody is told but by the snapshot.
        get_person(change.session, desk.people[0], lock=True).valid_until = now() - 1
        estate.rosters.send_snapshot(change, get_door(change.session, door, lock=True))
    assert desk.people[0] not in roster(bench, door)  # checks the hash as well


def test_a_change_reads_nobody_whom_it_is_not_about(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = pair(bench, "Gate")
    desk = Desk(bench, [door], Random(1))
    desk.join()
    estate = bench.estate
    before = estate.rosters.state(door)
    looked_at: list[Collection[str] | None] = []

    def seen(session: Session, door: str, among: Collection[str] | None = None) -> set[str]:
        looked_at.append(among)
        return members_of(session, door, among)

    monkeypatch.setattr("community_server.rosters.rolls.members_of", seen)
    desk.join()
    assert estate.rosters.state(door) != before
    estate.rosters.state(door)
    assert looked_at == [{desk.people[-1]}]


def test_a_roll_is_hashed_as_a_door_hashes_its_roster() -> None:
    people = [RosterPerson(secrets.token_hex(16), "resident", "1", 0, 0) for _ in range(50)]
    roll = Roll(map(row_hash, people[:49]))
    assert roll.hash() == roster_hash(people[:49])
    roll.replace([row_hash(people[0])], row_hash(people[49]))
    assert roll.hash() == roster_hash(people[1:])
    roll.replace([row_hash(people[0]), row_hash(people[1])], None)
    assert roll.hash() == roster_hash(reversed(people[2:]))
    assert Roll(()).hash() == hash_of_rows(()) == roster_hash(())
