"""Erasures: which doors have confirmed, and the receipts, for printing."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from community_server.console.frame import desk_page
from community_server.desk import EstateDep, reader
from community_server.pages import language_of
from community_server.receipts.routes import listing, receipt_file
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/erasures")

Reader = Annotated[SignedIn, reader(Permission.REMOVE_PEOPLE)]


@router.get("")
def show_erasures(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    person: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """List the newest erasures, those that are not complete first."""
    erasures = listing(estate, person)
    return desk_page(
        request,
        estate,
        staff,
        "erasures.html.jinja",
        room="people",
        here="/erasures",
        erasures=erasures,
        names={one.person: estate.name_of(one.person) for one in erasures},
    )


@router.get("/{erasure}/receipt")
def send_receipt(erasure: str, request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Send a receipt as a file."""
    del staff
    return receipt_file(estate, erasure, language_of(request))
