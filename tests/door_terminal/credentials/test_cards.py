"""A card opens as a PIN does: by the same rules, once, and not for whoever guesses numbers."""

import time as real_time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from access_rules.decision import DecisionReason, Shown
from access_rules.people import Credential
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.credentials.backoff import DOOR_PATIENCE, Backoff
from door_terminal.credentials.cards import CardDesk
from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.entries import EntryLog
from door_terminal.gate import Opening
from door_terminal.reserve import Reserve
from door_terminal.roster import RosterBook, as_person
from tests.door_terminal.conftest import Time
from tests.door_terminal.samples import configured, person
from tier_link.cards import card_tag
from tier_link.estate_messages import ESTATE, EntryRecorded, RosterPerson
from tier_link.store import LinkStore

KEY = bytes(range(32))
FOB, OTHER = "0012345678", "0087654321"


class Gate:
    def __init__(self) -> None:
        self.openings: list[Opening] = []

    def open(self, opening: Opening) -> None:
        self.openings.append(opening)

    def close(self) -> None: ...


class Door:
    def __init__(self, engine: Engine, clock: EffectiveClock, folder: Path) -> None:
        self.store = LinkStore(engine, keep_acknowledged=timedelta(days=7))
        self.gate = Gate()
        self.book = RosterBook()
        self.configuration: Configuration | None = None
        self.configure()
        self.decider = Decider(
            configuration=lambda: self.configuration,
            clock=clock,
            entries=EntryLog(engine, self.store, "server", clock, Reserve(folder / "r", slots=0)),
            gate=self.gate,
            publish=lambda _: None,
        )
        self.desk = CardDesk(
            hexadecimal=False,
            book=lambda: self.book,
            configuration=lambda: self.configuration,
            clock=clock,
            decider=self.decider,
            backoff=Backoff(engine, clock.powered_s()),
        )

    def configure(self, **more: Any) -> None:
        fields = {"card_allowed": True, "card_key": KEY} | more
        self.configuration = Configuration.of(configured(**fields))

    def enroll(self, *people: RosterPerson) -> None:
        cards = {tag: one.person for one in people for tag in one.cards}
        self.book = RosterBook(people={one.person: one for one in people}, cards=cards)

    def read(self, text: str) -> Outcome | None:
        return self.desk.read(text, real_time.monotonic_ns())

    def hold(self, text: str) -> str:
        """Hold a card to the reader after a while; return the reason."""
        self.desk._held.clear()
        outcome = self.read(text)
        assert outcome is not None
        return outcome.reason.value

    def told(self) -> list[EntryRecorded]:
        records = self.store.pending("server", 0, limit=1000)
        messages = [ESTATE.decode(one.kind, one.body) for one in records]
        return [one for one in messages if isinstance(one, EntryRecorded)]


@pytest.fixture
def door(engine: Engine, clock: EffectiveClock, tmp_path: Path) -> Door:
    return Door(engine, clock, tmp_path)


def bearer(text: str = FOB, name: str = "a", **more: Any) -> RosterPerson:
    return person(name, cards=(card_tag(KEY, int(text)),), **more)


def test_a_card_opens_for_its_bearer_however_its_number_is_written(door: Door) -> None:
    door.enroll(bearer())
    for text in (FOB, "0xBC614E", "188,24910"):
        assert door.hold(text) == "within-rules"
    assert [(one.credential, one.person) for one in door.told()] == [("card", "a" * 32)] * 3
    assert len(door.gate.openings) == 3


def test_a_card_that_lies_on_the_reader_counts_once_and_another_one_at_once(door: Door) -> None:
    door.enroll(bearer(), bearer(OTHER, "b"))
    assert door.read(FOB) is not None
    assert [door.read(FOB) for _ in range(20)] == [None] * 20
    assert door.read(OTHER) is not None
    assert len(door.gate.openings) == 2


def test_a_refused_card_that_lies_there_makes_one_entry_and_is_one_try(door: Door) -> None:
    outcomes = [door.read(FOB) for _ in range(3 * DOOR_PATIENCE.free)]
    assert [one.reason.value for one in outcomes if one] == ["credential-unknown"]
    door.enroll(bearer())
    assert door.hold(FOB) == "within-rules"


def test_what_is_no_number_makes_no_entry(door: Door) -> None:
    for text in ("", "00000000", "12?45", "1" * 40):
        assert door.read(text) is None
    assert door.told() == []


def test_rules_hold_for_cards(door: Door) -> None:
    door.enroll(bearer(suspended=True), bearer(OTHER, "b", second_credential=True))
    assert door.hold(FOB) == "suspended"
    assert door.hold(OTHER) == "second-credential-needed"
    pin = Shown(Credential.PIN, as_person(door.book.people["b" * 32]))
    outcome = door.decider.attempt(pin, needed_ns=real_time.monotonic_ns())
    assert (outcome.granted, outcome.first) == (True, Credential.CARD)


def test_a_door_that_takes_no_cards_says_so_and_one_without_a_key_takes_none(door: Door) -> None:
    door.enroll(bearer())
    for fields in ({"card_allowed": False}, {"card_key": b""}):
        door.configure(**fields)
        assert door.hold(FOB) == "credential-not-accepted"
    door.configuration = None
    assert door.read(FOB) is None


def test_a_card_taken_away_is_unknown(door: Door) -> None:
    door.enroll(bearer())
    assert door.hold(FOB) == "within-rules"
    door.enroll(person("a"))
    assert door.hold(FOB) == "credential-unknown"


def test_whoever_guesses_numbers_makes_cards_wait_also_behind_a_held_back_reading(
    door: Door, time: Time
) -> None:
    door.enroll(bearer())
    for number in range(1, DOOR_PATIENCE.free + 2):
        door.read(str(number))
    assert len(door.told()) == 1
    assert door.hold(FOB) == "cards-locked"
    assert door.gate.openings == []
    time.now += DOOR_PATIENCE.first_s + 1
    assert door.hold(FOB) == "within-rules"
    for number in range(1, DOOR_PATIENCE.free + 1):
        door.read(str(number))
    assert door.hold(FOB) == DecisionReason.WITHIN_RULES.value  # it began afresh
