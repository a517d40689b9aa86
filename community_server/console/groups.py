"""Access groups: which doors, at which hours, for how many people."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from community_server.access.routes import drop_group, save_group, set_default
from community_server.access.schedules import list_schedules
from community_server.access.service import (
    GroupWanted,
    ListedGroup,
    count_without_group,
    find_group,
    list_groups,
)
from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.desk import EstateDep, RowNumber, reader
from community_server.doors.service import list_doors
from community_server.errors import NotFound, ServerError
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/groups")

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]
Editor = Annotated[SignedIn, reader(Permission.MANAGE_PEOPLE)]
Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]


@router.get("")
def show_groups(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the groups."""
    with estate.reading() as session:
        groups, others = list_groups(session), count_without_group(session)
        schedules = {one.id: one.name for one in list_schedules(session)}
        doors = {door.id: door.name for door in list_doors(session)}
    return desk_page(
        request,
        estate,
        staff,
        "groups.html.jinja",
        room="people",
        here="/groups",
        groups=groups,
        others=others,
        schedules=schedules,
        doors=doors,
    )


@router.get("/new")
def ask_group(request: Request, estate: EstateDep, staff: Editor) -> Response:
    """Show an empty group."""
    return _form(request, estate, staff, ListedGroup("", every_door=False, doors=frozenset()))


@router.get("/{group}")
def show_group(request: Request, group: RowNumber, estate: EstateDep, staff: Editor) -> Response:
    """Show one group, to be changed."""
    with estate.reading() as session:
        shown = find_group(session, group)
    return _form(request, estate, staff, shown)


@router.post("/new")
def make_group(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    doors: Annotated[list[str], Form(default_factory=list, max_length=1000)],
    name: Text = "",
    every_door: Text = "",
    schedule: Text = "",
) -> Response:
    """Add a group."""
    wanted = GroupWanted(name.strip(), every_door == "yes", frozenset(doors), schedule)
    return _save(request, estate, staff, wanted, 0)


@router.post("/{group}")
def write_group(
    request: Request,
    group: RowNumber,
    estate: EstateDep,
    staff: Writer,
    doors: Annotated[list[str], Form(default_factory=list, max_length=1000)],
    name: Text = "",
    every_door: Text = "",
    schedule: Text = "",
) -> Response:
    """Change a group; doors hear of it at once."""
    wanted = GroupWanted(name.strip(), every_door == "yes", frozenset(doors), schedule)
    return _save(request, estate, staff, wanted, group)


@router.post("/{group}/default")
def choose_default(group: RowNumber, estate: EstateDep, staff: Writer) -> Response:
    """Make a group the one of everybody who has neither groups nor doors of their own."""
    set_default(estate, group, staff.staff)
    return go_to("/groups?done=group-default")


@router.post("/{group}/removal")
def remove_group(request: Request, group: RowNumber, estate: EstateDep, staff: Writer) -> Response:
    """Remove a group that nobody is in."""
    try:
        drop_group(estate, group, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        with estate.reading() as session:
            shown = find_group(session, group)
        return _form(request, estate, staff, shown, refusal)
    return go_to("/groups?done=group-removed")


def _save(
    request: Request, estate: Estate, staff: SignedIn, wanted: GroupWanted, group: int
) -> Response:
    try:
        save_group(estate, wanted, staff.staff, group)
    except NotFound:
        raise
    except ServerError as refusal:
        shown = ListedGroup(
            name=wanted.name[:64],
            every_door=wanted.every_door,
            doors=wanted.doors,
            schedule=wanted.schedule,
            id=group,
        )
        return _form(request, estate, staff, shown, refusal)
    return go_to("/groups?done=group-saved")


def _form(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    group: ListedGroup,
    refusal: ServerError | None = None,
) -> Response:
    with estate.reading() as session:
        schedules = list_schedules(session)
        doors = [(door.id, door.name) for door in list_doors(session)]
    return desk_page(
        request,
        estate,
        staff,
        "group.html.jinja",
        room="people",
        here=f"/groups/{group.id or 'new'}",
        refusal=refusal,
        group=group,
        schedules=schedules,
        doors=doors,
    )
