"""Cards, for programs."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.audit.looks import note_look
from community_server.cards.queries import cards_of
from community_server.cards.service import give_card, take_card
from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.people.queries import get_person
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/people", tags=["cards"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]


class CardRequest(BaseModel):
    """A card's number as a reader writes it, or as it is printed on the card."""

    number: Annotated[str, Field(max_length=1000)] = Field(repr=False)


class CardGiven(BaseModel):
    """The card's id, by which it is taken away."""

    card: str


class ListedCard(BaseModel):
    """One card of a person; `ends` are the last digits of its number."""

    card: str
    ends: str
    given_at: int


@router.get("/{person}/cards")
def show_cards(person: str, estate: EstateDep, staff: Reader) -> list[ListedCard]:
    """List somebody's cards; the log notes who looked."""
    cards = list_cards(estate, person)
    note_look(estate, staff.staff, person)
    return cards


@router.post("/{person}/cards", status_code=201)
def make_card(person: str, body: CardRequest, estate: EstateDep, staff: Writer) -> CardGiven:
    """Give somebody a card."""
    return CardGiven(card=new_card(estate, person, body.number, staff.staff))


@router.delete("/{person}/cards/{card}", status_code=204)
def delete_card(person: str, card: str, estate: EstateDep, staff: Writer) -> None:
    """Take a card away; connected doors refuse it at once."""
    remove_card(estate, person, card, staff.staff)


def list_cards(estate: Estate, person: str) -> list[ListedCard]:
    """Return somebody's cards as the desk shows them.

    Raises:
        NotFound: `person-unknown`.
    """
    with estate.reading() as session:
        get_person(session, person)
        return [
            ListedCard(card=one.card, ends=one.ends, given_at=one.given_at)
            for one in cards_of(session, estate.safe, person)
        ]


def new_card(estate: Estate, person: str, number: str, staff: str) -> str:
    """Give a card, and note who did; return its id."""
    with estate.changer.change() as change:
        card = give_card(change, estate.secrets.card_key, person, number)
        audit(change.session, staff, "give-card", person, card)
    return card


def remove_card(estate: Estate, person: str, card: str, staff: str) -> None:
    """Take a card away, and note who did."""
    with estate.changer.change() as change:
        take_card(change, person, card)
        audit(change.session, staff, "take-card", person, card)
