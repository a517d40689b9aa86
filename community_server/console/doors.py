"""Doors: added, paired, configured, revoked."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from community_server.console.frame import desk_page, fragment, nothing
from community_server.desk import EstateDep, ReaderDep, WriterDep
from community_server.doors.routes import (
    Direction,
    DoorChange,
    DoorRequest,
    add,
    alter,
    issue,
    listing,
    revoke,
)
from community_server.doors.service import get_door

router = APIRouter(include_in_schema=False)

CHANGED = "doors-changed"


@router.get("/doors")
def show_doors(request: Request, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show the doors."""
    return desk_page(request, estate, signed_in, "doors.html.jinja", doors=listing(estate))


@router.get("/doors/list")
def show_list(request: Request, estate: EstateDep, signed_in: ReaderDep) -> Response:
    """Show the doors, without the page around them."""
    del signed_in
    return fragment(request, estate, "doors_list.html.jinja", doors=listing(estate))


@router.post("/doors")
def take_door(
    request: Request,
    estate: EstateDep,
    staff: WriterDep,
    name: Annotated[str, Form(max_length=200)] = "",
    direction: Annotated[Direction, Form()] = "both",
) -> Response:
    """Add a door and show its first pairing code."""
    door = add(estate, DoorRequest(name=name, direction=direction), staff.staff)
    code = issue(estate, door, staff.staff).code
    return fragment(request, estate, "code.html.jinja", event=CHANGED, name=name.strip(), code=code)


@router.post("/doors/{door}/pairing")
def take_pairing(request: Request, door: str, estate: EstateDep, staff: WriterDep) -> Response:
    """Issue a pairing code."""
    code = issue(estate, door, staff.staff).code
    with estate.reading() as session:
        name = get_door(session, door).name
    return fragment(request, estate, "code.html.jinja", event=CHANGED, name=name, code=code)


@router.post("/doors/{door}/mode")
def take_mode(
    door: str,
    estate: EstateDep,
    staff: WriterDep,
    mode: Annotated[Literal["auto", "local", "remote", "hybrid"], Form()],
) -> Response:
    """Say where a door shall match."""
    alter(estate, door, DoorChange(mode=mode), staff.staff)
    return nothing(CHANGED)


@router.post("/doors/{door}/revoke")
def take_revocation(door: str, estate: EstateDep, staff: WriterDep) -> Response:
    """Revoke a door."""
    revoke(estate, door, staff.staff)
    return nothing(CHANGED)
