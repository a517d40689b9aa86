"""Approvals, with the photos to compare."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from community_server.console.frame import desk_page, fragment
from community_server.desk import EstateDep, ReaderDep, WriterDep
from community_server.estate import Estate
from community_server.intake.approvals import Waiting, list_waiting
from community_server.intake.routes import perform, photo_response

router = APIRouter(include_in_schema=False)


@router.get("/approvals")
def show_approvals(request: Request, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show what waits."""
    return desk_page(request, estate, signed_in, "approvals.html.jinja", waiting=_waiting(estate))


@router.get("/approvals/list")
def show_list(request: Request, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show what waits, without the page around it."""
    del signed_in
    return fragment(request, estate, "approvals_list.html.jinja", waiting=_waiting(estate))


@router.get("/approvals/{enrollment}/photos/{number}")
def show_photo(enrollment: str, number: int, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show one waiting photo."""
    del signed_in
    return photo_response(estate, enrollment, number)


@router.post("/approvals/{enrollment}")
def take_decision(
    request: Request,
    enrollment: str,
    estate: EstateDep,
    staff: WriterDep,
    decision: Annotated[Literal["approve", "decline"], Form()],
) -> Response:
    """Carry out a decision and show what still waits."""
    perform(estate, enrollment, decision, staff.staff)
    return fragment(request, estate, "approvals_list.html.jinja", waiting=_waiting(estate))


def _waiting(estate: Estate) -> list[Waiting]:
    with estate.reading() as session:
        return list_waiting(session, estate.safe)
