"""A door is told of exactly the people who may use it, in the transaction of the change."""

import secrets

import numpy as np
import pytest

from community_server.database import now
from community_server.doors.tables import Door
from community_server.erasure import remove_person
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.service import add_person, issue_pin, store_template
from community_server.sweeper import Sweeper
from tests.community_server.bench import Bench
from tests.community_server.rosters.told import pair, roster, told
from tests.community_server.traces import traces
from tier_link.estate_messages import (
    DoorConfigured,
    EstateMessage,
    RosterDelta,
    RosterSnapshot,
    roster_hash,
)


def _add(bench: Bench, *doors: str) -> str:
    with bench.estate.changer.change() as change:
        row = add_person(
            change,
            category="resident",
            unit=f"unit-{secrets.token_hex(3)}",
            known=Known(name="N"),
            doors=doors,
        )
        issue_pin(change, row.id)
        return row.id


def test_each_door_holds_only_the_people_who_may_use_it(bench: Bench) -> None:
    front, back = pair(bench, "Front"), pair(bench, "Back")
    everywhere, at_back = _add(bench), _add(bench, back)

    assert everywhere in roster(bench, front)
    assert at_back not in roster(bench, front)
    assert {everywhere, at_back} <= roster(bench, back).keys()
    late = pair(bench, "Late")
    assert everywhere in roster(bench, late)
    assert at_back not in roster(bench, late)
    (configured,) = [m for m in told(bench, late) if isinstance(m, DoorConfigured)]
    assert configured.name == "Late"
    assert len(configured.matrix) == 128 * 128 * 4
    for door in (front, back, late):
        state = bench.estate.rosters.state(door)
        assert state.hash == roster_hash(roster(bench, door).values())
        assert (
            state.version
            == [
                m.version for m in told(bench, door) if isinstance(m, RosterSnapshot | RosterDelta)
            ][-1]
        )


def test_a_removed_person_leaves_every_door_and_no_trace(bench: Bench) -> None:
    door = pair(bench, "Gate")
    person = _add(bench)
    vector = np.random.default_rng(1).standard_normal(128).astype(np.float32)
    vector /= np.linalg.norm(vector)
    with bench.estate.changer.change() as change:
        row = get_person(change.session, person, lock=True)
        store_template(change, row, bench.estate.pack.template_space, vector, photos=1)
    assert roster(bench, door)[person].template == vector.tobytes()
    assert traces(bench.estate, bench.estate.settings.data, [vector.tobytes()[:64]]) == []

    with bench.estate.changer.change() as change:
        remove_person(change, bench.estate.links, person)

    assert person not in roster(bench, door)
    assert bench.estate.name_of(person) == ""


def test_what_waits_for_a_door_that_is_off_says_nothing_of_a_removed_person(bench: Bench) -> None:
    door = pair(bench, "Gate")
    gone, stays = _add(bench), _add(bench)
    with bench.estate.changer.change() as change:
        bench.estate.rosters.send_snapshot(change, change.session.get_one(Door, door))
        issue_pin(change, gone)
    before = [_people_in(message) for message in told(bench, door)]
    assert sum(gone in people for people in before) > 2

    with bench.estate.changer.change() as change:
        remove_person(change, bench.estate.links, gone)

    after = [_people_in(message) for message in told(bench, door)]
    assert [people - {gone} for people in before] == after[: len(before)]
    assert not any(gone in people for people in after)
    held = roster(bench, door)
    assert stays in held
    assert gone not in held


def _people_in(message: EstateMessage) -> set[str]:
    match message:
        case RosterSnapshot():
            return {row.person for row in message.people}
        case RosterDelta():
            return {row.person for row in message.upserts}
    return set()


def test_a_change_that_fails_tells_nobody(bench: Bench) -> None:
    door = pair(bench, "Gate")
    before = told(bench, door)

    def fail() -> None:
        with bench.estate.changer.change() as change:
            row = add_person(change, category="resident", unit="9", known=Known(name="N"))
            issue_pin(change, row.id)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert told(bench, door) == before


def test_somebody_whose_time_is_over_is_taken_off_the_doors(bench: Bench) -> None:
    door = pair(bench, "Gate")
    person = _add(bench)
    with bench.estate.changer.change() as change:
        get_person(change.session, person, lock=True).valid_until = now() - 1
    Sweeper.of(bench.estate).sweep()
    assert person not in roster(bench, door)
