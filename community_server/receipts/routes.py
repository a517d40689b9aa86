"""Erasures and their receipts, for programs and for the desk's pages."""

from dataclasses import asdict
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from community_server.desk import EstateDep, reader
from community_server.estate import Estate
from community_server.pages import language_of
from community_server.receipts.queries import ShownErasure, get_erasure, list_erasures
from community_server.receipts.signing import sign_for_erasure
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_kit.language import Language
from tier_kit.receipts import write_receipt
from tier_link.receipts import open_receipt

router = APIRouter(prefix="/api/v1/erasures", tags=["erasures"])

Reader = Annotated[SignedIn, reader(Permission.REMOVE_PEOPLE)]
MOST_LISTED: Final = 200


class ErasureDoorState(BaseModel):
    """What a door that held it has come to: `waiting`, `confirmed` or `lease-ended`, since `at`."""

    door: str
    name: str
    state: str
    at: int


class ListedErasure(BaseModel):
    """One erasure of a `person` or a `face` (`kept`); `settled_at` is 0 until it is complete."""

    erasure: str
    person: str
    kept: str
    category: str
    begun_at: int
    settled_at: int
    doors: list[ErasureDoorState]


@router.get("")
def show_erasures(
    estate: EstateDep, staff: Reader, person: Annotated[str, Query(max_length=32)] = ""
) -> list[ListedErasure]:
    """List the newest erasures, or one person's, those that are not complete first."""
    del staff
    return [ListedErasure.model_validate(asdict(one)) for one in listing(estate, person)]


@router.get("/{erasure}/receipt", response_class=Response)
def show_receipt(erasure: str, request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Return the receipt as a text for printing; before it is complete, of how far it has come."""
    del staff
    return receipt_file(estate, erasure, language_of(request))


def listing(estate: Estate, person: str = "") -> list[ShownErasure]:
    """Return the newest erasures, or one person's, those that are not complete first."""
    with estate.reading() as session:
        return list_erasures(session, MOST_LISTED, person)


def receipt_file(estate: Estate, erasure: str, language: Language) -> Response:
    """Answer with a receipt in words and its signed block.

    Raises:
        NotFound: `erasure-unknown`.
    """
    with estate.changer.change() as change:
        row = get_erasure(change.session, erasure)
        block = row.receipt or sign_for_erasure(
            change.session, estate.safe, row, estate.settings.backup_days
        )
    receipt = open_receipt(block.encode()).receipt
    text = write_receipt(msgspec.to_builtins(receipt), block, language)
    return Response(
        text,
        media_type="text/plain; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="receipt-{erasure[:8]}.txt"',
            "cache-control": "no-store",
        },
    )
