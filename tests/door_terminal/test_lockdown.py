"""A lockdown holds at a door over restarts, lost links and broken disks, until a newer word."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_rules.lockdown import NO_LOCKDOWN, Lockdown
from door_terminal.lockdown import LockdownStore
from tests.door_terminal.conftest import make_read_only
from tests.door_terminal.estate import SERVER, Estate, eventually
from tests.door_terminal.processes import in_step, running_door, start_door
from tests.door_terminal.samples import QUICK, configured, person
from tier_link.estate_messages import (
    ESTATE,
    LockdownDeclared,
    OpeningAnswer,
    OpeningNonce,
    OpeningWanted,
    RemoteOpening,
    ServerNews,
    roster_hash,
)

PIN, UNIT, STAFF_PIN = "482915", "3-1-1201", "604318"
LOCKED, OVER = Lockdown(4, active=True), Lockdown(5, active=False)
WIRED: dict[str, Any] = {"input_exit": "simulated", "input_fire": "simulated"}


def take(engine: Engine, store: LockdownStore, *words: Lockdown) -> None:
    with Session(engine) as session, session.begin():
        for word in words:
            store.take(session, word)


@pytest.mark.parametrize("words", list(itertools.permutations([Lockdown(3), LOCKED, OVER])))
def test_the_newest_word_counts_by_either_lane_and_after_a_restart(
    engine: Engine, words: tuple[Lockdown, ...]
) -> None:
    store = LockdownStore(engine, SERVER)
    assert store.current == NO_LOCKDOWN
    take(engine, store, words[0])
    store.hear(words[1])
    take(engine, store, words[2])
    assert store.current == OVER
    assert LockdownStore(engine, SERVER).current == OVER


def test_an_undone_transaction_leaves_the_word_before(engine: Engine) -> None:
    store = LockdownStore(engine, SERVER)
    take(engine, store, LOCKED)
    with Session(engine) as session:
        store.take(session, OVER)
        session.rollback()
    assert store.current == LOCKED
    assert LockdownStore(engine, SERVER).current == LOCKED


def test_a_disk_that_takes_nothing_keeps_no_lockdown_from_working(engine: Engine) -> None:
    store = LockdownStore(engine, SERVER)
    make_read_only(engine)
    for _ in range(2):
        store.hear(LOCKED)
        assert store.current == LOCKED


def test_a_terminal_that_moves_to_another_estate_takes_no_lockdown_along(engine: Engine) -> None:
    take(engine, LockdownStore(engine, "another-estate"), LOCKED)
    store = LockdownStore(engine, SERVER)
    assert store.current == NO_LOCKDOWN
    store.hear(Lockdown(1, active=True))
    assert LockdownStore(engine, SERVER).current == Lockdown(1, active=True)


def furnish(estate: Estate) -> None:
    estate.configure(configured(reset_pin=QUICK.hash(STAFF_PIN)))
    estate.enroll(person("a", pin=QUICK.hash(PIN)))


def declare(estate: Estate, number: int, *, active: bool) -> None:
    estate._put(LockdownDeclared(number, active))


def opened_by_staff(estate: Estate) -> str:
    """Open from the desk; return what kept the gate shut."""
    assert estate.link is not None
    wanted = OpeningWanted()
    drawn = estate.link.request(ESTATE.kind(wanted), ESTATE.encode(wanted), 5)
    nonce = ESTATE.decode("opening-nonce", drawn)
    assert isinstance(nonce, OpeningNonce)
    order = RemoteOpening(nonce.nonce, "5" * 32)
    answer = ESTATE.decode(
        "opening-answer", estate.link.request(ESTATE.kind(order), ESTATE.encode(order), 5)
    )
    assert isinstance(answer, OpeningAnswer)
    return answer.gate


def shows(estate: Estate, number: int, *, locked: bool) -> None:
    eventually(
        lambda: (
            bool(estate.presences)
            and (estate.presences[-1].lockdown, estate.presences[-1].locked_down)
            == (number, locked)
        )
    )


def test_a_door_stays_locked_down_through_a_lost_link_and_a_sigkill_and_lets_everybody_out(
    estate: Estate, data: Path
) -> None:
    furnish(estate)
    door = start_door(data, **WIRED)
    in_step(estate)
    assert door.pin(UNIT, PIN)["granted"]
    declare(estate, 1, active=True)
    shows(estate, 1, locked=True)
    refused = door.pin(UNIT, PIN)
    assert (refused["granted"], refused["reason"]) == (False, "locked-down")
    assert "locked down" in refused["message"]["en"]
    assert door.pin(UNIT, "000000")["reason"] == "locked-down"  # a guess learns nothing
    before = len(door.openings())
    assert opened_by_staff(estate) == ""
    assert len(door.openings()) == before + 1
    estate.down()
    door.kill()
    with running_door(data, **WIRED) as door:
        state = door.state()
        assert (state["link"], state["locked_down"]) == (False, True)
        assert door.pin(UNIT, PIN)["reason"] == "locked-down"
        before = len(door.openings())
        door.wire(exit=True)
        eventually(lambda: len(door.openings()) == before + 1)
        door.wire(fire=True)
        eventually(lambda: door.state()["fire"])
        eventually(lambda: len(door.openings()) > before + 1)
        door.wire()
        eventually(lambda: not door.state()["burning"])
        assert door.end_fire(STAFF_PIN)["ended"]
        assert door.pin(UNIT, PIN)["reason"] == "locked-down"
        estate.up()
        declare(estate, 2, active=False)
        shows(estate, 2, locked=False)
        declare(estate, 1, active=True)  # it was on its way for a day
        declare(estate, 3, active=False)
        shows(estate, 3, locked=False)
        assert door.pin(UNIT, PIN)["granted"]
    kinds = [(one.reason, one.granted) for one in estate.entries]
    assert ("locked-down", True) not in kinds
    assert {"exit-button", "fire-release", "locked-down"} <= {one for one, _ in kinds}


def test_the_servers_news_alone_lock_a_door_whose_disk_was_put_back(
    estate: Estate, data: Path
) -> None:
    furnish(estate)
    with running_door(data) as door:
        in_step(estate)
        assert estate.link is not None
        news = ServerNews(
            int(estate.time()), estate.roster_version, roster_hash(estate.roster.values()), 7, True
        )
        estate.link.publish(ESTATE.kind(news), ESTATE.encode(news))
        eventually(lambda: door.state()["locked_down"])
        shows(estate, 7, locked=True)
    with running_door(data) as door:
        assert door.state()["locked_down"]
