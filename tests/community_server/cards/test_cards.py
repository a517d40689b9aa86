"""A card is one person's, is told to doors as a keyed hash, and is gone at once when taken away."""

import secrets

import pytest
from sqlalchemy import select

from community_server.audit.tables import AuditRow
from community_server.cards.queries import count_cards
from community_server.cards.routes import list_cards, new_card, remove_card
from community_server.cards.tables import Card
from community_server.doors.service import add_door
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.people.routes import listing, remove
from tests.community_server.bench import STAFF, Bench
from tier_link.cards import MOST_CARDS, card_tag
from tier_link.estate_messages import ESTATE, DoorConfigured, RosterDelta, RosterPerson


def paired_door(bench: Bench) -> str:
    with bench.estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
        row = change.session.get_one(Door, door)
        bench.estate.configurer.welcome(change, row, secrets.token_bytes(32))
    return door


def told(bench: Bench, door: str, person: str) -> tuple[RosterPerson | None, DoorConfigured]:
    """Return what a door was last told of a person, and its configuration."""
    row: RosterPerson | None = None
    configuration: DoorConfigured | None = None
    for record in bench.estate.links.pending(door, 0, limit=10_000):
        match ESTATE.decode(record.kind, record.body):
            case RosterDelta() as delta:
                row = next((one for one in delta.upserts if one.person == person), row)
                row = None if person in delta.removed else row
            case DoorConfigured() as newest:
                configuration = newest
    assert configuration is not None
    return row, configuration


def number() -> str:
    return str(secrets.randbelow(10**9) + 1)


def test_a_card_makes_somebody_active_and_doors_hear_its_keyed_hash_alone(bench: Bench) -> None:
    door = paired_door(bench)
    _, person = bench.invite(name="Fob")
    fob = number()
    card = new_card(bench.estate, person, fob, STAFF)
    row, configuration = told(bench, door, person)
    assert configuration.card_allowed
    assert row is not None
    assert row.cards == (card_tag(configuration.card_key, int(fob)),)
    for record in bench.estate.links.pending(door, 0, limit=10_000):
        assert fob.encode() not in record.body
    (shown,) = listing(bench.estate, [person])
    assert (shown.state, shown.cards) == ("active", 1)
    assert [(one.card, one.ends) for one in list_cards(bench.estate, person)] == [(card, fob[-4:])]
    with bench.estate.reading() as session:
        sealed = session.get_one(Card, card).number
        rows = session.scalars(select(AuditRow).where(AuditRow.subject == person)).all()
    assert fob.encode() not in bytes(sealed)
    assert [(one.action, one.detail) for one in rows] == [("give-card", card)]


def test_a_lost_card_is_taken_away_at_once_and_the_others_stay(bench: Bench) -> None:
    door = paired_door(bench)
    _, person = bench.invite(name="Two cards")
    lost, kept = number(), number()
    card = new_card(bench.estate, person, lost, STAFF)
    new_card(bench.estate, person, kept, STAFF)
    remove_card(bench.estate, person, card, STAFF)
    row, configuration = told(bench, door, person)
    assert row is not None
    assert row.cards == (card_tag(configuration.card_key, int(kept)),)
    with pytest.raises(NotFound) as refused:
        remove_card(bench.estate, person, card, STAFF)
    assert refused.value.code == "card-unknown"


def test_one_card_is_one_persons_however_it_is_written(bench: Bench) -> None:
    _, first = bench.invite(name="First")
    _, second = bench.invite(name="Second")
    fob = secrets.randbelow(10**6) + 1
    new_card(bench.estate, first, f"{fob:010}", STAFF)
    for person, text in ((second, hex(fob)), (first, str(fob))):
        with pytest.raises(Conflict) as refused:
            new_card(bench.estate, person, text, STAFF)
        assert refused.value.code == "card-taken"


def test_junk_and_too_many_are_refused(bench: Bench) -> None:
    _, person = bench.invite(name="Many")
    for text in ("", "0000", "12?4", "1" * 40):
        with pytest.raises(InputRefused) as junk:
            new_card(bench.estate, person, text, STAFF)
        assert (junk.value.code, junk.value.field) == ("card-malformed", "number")
    for _ in range(MOST_CARDS):
        new_card(bench.estate, person, number(), STAFF)
    with pytest.raises(Conflict) as refused:
        new_card(bench.estate, person, number(), STAFF)
    assert refused.value.code == "cards-too-many"


def test_nobody_takes_somebody_elses_card_and_an_unknown_person_gets_none(bench: Bench) -> None:
    _, person = bench.invite(name="Owner")
    _, other = bench.invite(name="Other")
    card = new_card(bench.estate, person, number(), STAFF)
    with pytest.raises(NotFound):
        remove_card(bench.estate, other, card, STAFF)
    with pytest.raises(NotFound):
        new_card(bench.estate, "0" * 32, number(), STAFF)


def test_whoever_is_removed_leaves_no_card_and_somebody_else_may_have_it(bench: Bench) -> None:
    door = paired_door(bench)
    _, person = bench.invite(name="Gone")
    fob = number()
    new_card(bench.estate, person, fob, STAFF)
    remove(bench.estate, person, STAFF)
    assert told(bench, door, person)[0] is None
    with bench.estate.reading() as session:
        assert count_cards(session, [person]) == {}
    _, next_one = bench.invite(name="Next")
    new_card(bench.estate, next_one, fob, STAFF)
