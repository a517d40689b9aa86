"""Giving cards and taking them away: each function works inside a `Change`."""

from sqlalchemy import select

from community_server.cards.queries import count_cards, place
from community_server.cards.tables import Card
from community_server.change import Change
from community_server.database import new_id, now
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.people.particulars import owner
from community_server.people.queries import get_person
from tier_link.cards import MOST_CARDS, card_tag, read_number
from tier_link.errors import CardRefused


def give_card(change: Change, key: bytes, person: str, text: str) -> str:
    """Give somebody the card whose number was typed or read; return the card's id.

    Raises:
        NotFound: `person-unknown`.
        InputRefused: `card-malformed`, it is no number.
        Conflict: `card-taken`, somebody has it; `cards-too-many`.
    """
    try:
        number = read_number(text)
    except CardRefused as refused:
        raise InputRefused(str(refused), field="number", code=refused.code) from refused
    session = change.session
    row = get_person(session, person, lock=True)
    tag = card_tag(key, number)
    if session.scalar(select(Card.id).where(Card.tag == tag)) is not None:
        raise Conflict("somebody has this card", code="card-taken")
    if count_cards(session, [person]).get(person, 0) >= MOST_CARDS:
        raise Conflict(f"at most {MOST_CARDS} cards", code="cards-too-many")
    card = new_id()
    sealed = change.safe.seal(session, owner(person), place(card), str(number).encode())
    session.add(Card(id=card, person_id=person, tag=tag, number=sealed, given_at=now()))
    row.state = "active"
    session.flush()
    change.touch(person)
    return card


def take_card(change: Change, person: str, card: str) -> None:
    """Take a card away; it opens no door that has heard.

    Raises:
        NotFound: `card-unknown`, this person has no such card.
    """
    row = change.session.get(Card, card)
    if row is None or row.person_id != person:
        raise NotFound("this person has no such card", code="card-unknown")
    change.session.delete(row)
    change.session.flush()
    change.touch(person)
    change.record("card-taken", card)
