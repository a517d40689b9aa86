"""Where somebody lives, in which groups they are, when they may come, and who they are."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import ValidationError

from community_server.console.clock import read_field
from community_server.console.frame import Text, form_writer, go_to, zone_of
from community_server.console.people import person_page
from community_server.desk import EstateDep
from community_server.errors import InputRefused, NotFound, ServerError
from community_server.estate import Estate
from community_server.people.routes import (
    MoveOut,
    PersonChange,
    alter,
    let_go,
    listed,
    may_remove,
)
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/people/{person}")

Writer = Annotated[SignedIn, form_writer(Permission.MANAGE_PEOPLE)]


@router.post("/groups")
def put_into_groups(
    request: Request,
    person: str,
    estate: EstateDep,
    staff: Writer,
    groups: Annotated[list[int], Form(default_factory=list, max_length=500)],
) -> Response:
    """Make these somebody's groups; none leaves the default one."""
    return _change(request, estate, staff, person, {"groups": groups}, "regrouped")


@router.post("/validity")
def set_validity(
    request: Request,
    person: str,
    estate: EstateDep,
    staff: Writer,
    valid_from: Text = "",
    valid_until: Text = "",
) -> Response:
    """Say from when until when somebody may come; empty is open."""
    zone = zone_of(estate)
    try:
        wanted = {
            "valid_from": read_field(zone, valid_from, "valid_from"),
            "valid_until": read_field(zone, valid_until, "valid_until"),
        }
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    return _change(request, estate, staff, person, wanted, "limited")


@router.post("/home")
def move(
    request: Request, person: str, estate: EstateDep, staff: Writer, unit: Text = ""
) -> Response:
    """Let somebody live in another unit from now on."""
    return _change(request, estate, staff, person, {"unit": unit.strip()}, "moved-in")


@router.post("/details")
def describe(
    request: Request,
    person: str,
    estate: EstateDep,
    staff: Writer,
    name: Text = "",
    phone: Text = "",
    email: Text = "",
) -> Response:
    """Change name, phone and e-mail address."""
    wanted = {"name": name.strip(), "phone": phone.strip(), "email": email.strip()}
    return _change(request, estate, staff, person, wanted, "described")


@router.post("/move-out")
def move_out(
    request: Request,
    person: str,
    estate: EstateDep,
    staff: Writer,
    moves_out: Text = "",
    erased: Text = "",
) -> Response:
    """Say when somebody moves out; a time that has passed is now."""
    try:
        at = read_field(zone_of(estate), moves_out, "moves_out")
        if not at:
            raise InputRefused("no time is given", field="moves_out", code="time-unreadable")
        if erased == "yes":
            may_remove(staff)
        gone = let_go(estate, person, MoveOut(at=at, erased=erased == "yes"), staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    if gone and erased == "yes":
        return go_to("/people?done=moved-out")
    return go_to(f"/people/{person}?done={'moved-out' if gone else 'moves-out'}")


@router.post("/move-out/withdrawal")
def stay(person: str, estate: EstateDep, staff: Writer) -> Response:
    """Take a planned move back."""
    let_go(estate, person, MoveOut(at=0), staff.staff)
    return go_to(f"/people/{person}?done=stays")


def _change(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    person: str,
    wanted: Mapping[str, object],
    done: str,
) -> Response:
    listed(estate, person)
    try:
        try:
            change = PersonChange.model_validate(wanted)
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            code = {"name": "name-missing", "unit": "unit-missing"}.get(field)
            raise InputRefused("this cannot be used", field=field, code=code) from error
        alter(estate, person, change, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return person_page(request, estate, staff, person, refusal=refusal)
    return go_to(f"/people/{person}?done={done}")
