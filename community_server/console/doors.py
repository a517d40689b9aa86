"""Doors: added, paired, watched, set, revoked."""

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from community_server.console.frame import (
    Text,
    clock_of,
    desk_page,
    form_writer,
    fragment,
    go_to,
)
from community_server.database import now
from community_server.desk import EstateDep, own_address, reader
from community_server.doors.hours import written
from community_server.doors.routes import (
    DoorChange,
    DoorRequest,
    ListedDoor,
    add,
    alter,
    end_fire,
    issue,
    issue_reset_pin,
    listing,
    revoke,
)
from community_server.doors.service import get_door
from community_server.errors import Conflict, InputRefused, NotFound, ServerError
from community_server.estate import Estate
from community_server.openings.service import list_openings
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.thresholds.routes import strictness
from community_server.visits.links import poster_of
from tier_link.store.codes import IssuedCode

router = APIRouter(prefix="/doors")

Reader = Annotated[SignedIn, reader(Permission.SEE_DOORS)]
Setter = Annotated[SignedIn, form_writer(Permission.SET_DOORS)]
PairReader = Annotated[SignedIn, reader(Permission.PAIR)]
Pairer = Annotated[SignedIn, form_writer(Permission.PAIR)]
Revoker = Annotated[SignedIn, form_writer(Permission.PAIR, proven=True)]
FireEnder = Annotated[SignedIn, form_writer(Permission.HANDLE_ALARMS)]

_BOXES: Final = (
    *("pin_allowed", "pass_allowed", "card_allowed"),
    *("face_needs_second", "face_needs_presence", "snapshots"),
)
DIRECTIONS: Final = ("both", "in", "out")
MODES: Final = ("auto", "local", "remote", "hybrid")
OPENINGS: Final = 5
"""Openings by staff on a door's page: the last ones; the entries have all."""
OUTSIDE: Final = ("slow", "off")
LIVENESS: Final = ("off", "observe", "open", "challenge", "second")


@router.get("")
def show_doors(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """List the doors and how each is doing."""
    return _list(request, estate, staff)


@router.get("/live")
def refresh_doors(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how the doors are doing now."""
    doors, may = listing(estate), staff.permissions
    return fragment(request, "doors_live.html.jinja", doors=doors, csrf=staff.csrf, may=may)


@router.post("")
def add_door(
    request: Request,
    estate: EstateDep,
    staff: Pairer,
    name: Text = "",
    direction: Text = "both",
) -> Response:
    """Add a door; its terminal is paired next."""
    try:
        add(estate, read_door(name, direction), staff.staff)
    except ServerError as refusal:
        return _list(request, estate, staff, name=name, refusal=refusal)
    return go_to("/doors?done=added")


@router.post("/{door}/pairing")
def pair_door(request: Request, door: str, estate: EstateDep, staff: Pairer) -> Response:
    """Issue a pairing code, and show it in the only answer that ever holds it."""
    row = find(estate, door)
    issued = issue(estate, door, staff.staff)
    return _list(request, estate, staff, pairing=row, issued=issued)


@router.get("/{door}")
def show_door(request: Request, door: str, estate: EstateDep, staff: Reader) -> Response:
    """Show one door and its settings."""
    return door_page(request, estate, staff, door)


@router.get("/{door}/health")
def refresh_health(request: Request, door: str, estate: EstateDep, staff: Reader) -> Response:
    """Show how one door is doing now."""
    del staff
    shown = find(estate, door)
    return fragment(
        request,
        "door_health.html.jinja",
        door=shown,
        began=_began(shown),
        clock=clock_of(request, estate),
    )


@router.post("/{door}")
def change_door(
    request: Request,
    door: str,
    estate: EstateDep,
    staff: Setter,
    name: Text = "",
    direction: Text = "both",
    mode: Text = "auto",
    gate_open_s: Text = "",
    pin_allowed: Text = "",
    pass_allowed: Text = "",
    card_allowed: Text = "",
    face_needs_second: Text = "",
    face_needs_presence: Text = "",
    snapshots: Text = "",
    liveness: Text = "off",
    held_open_s: Text = "",
    pair: Text = "",
    looks_from: Text = "",
    looks_until: Text = "",
    looks_outside: Text = "slow",
    looks_rate: Text = "",
) -> Response:
    """Change a door's settings; its terminal hears of it at once."""
    try:
        boxes = (
            *(pin_allowed, pass_allowed, card_allowed),
            *(face_needs_second, face_needs_presence, snapshots),
        )
        wanted = read_change(
            name=name.strip(),
            direction=direction,
            mode=mode,
            gate_open_s=gate_open_s,
            **{box: value == "yes" for box, value in zip(_BOXES, boxes, strict=True)},
            liveness=liveness,
            held_open_s=held_open_s,
            pair=pair.strip(),
            looks_from=looks_from,
            looks_until=looks_until,
            looks_outside=looks_outside,
            looks_rate=looks_rate,
        )
        alter(estate, door, wanted, staff.staff)
    except NotFound:
        raise
    except ServerError as refusal:
        return door_page(request, estate, staff, door, refusal)
    return go_to(f"/doors/{door}?done=saved")


@router.post("/{door}/reset-pin")
def issue_pin(request: Request, door: str, estate: EstateDep, staff: Setter) -> Response:
    """Issue the PIN that ends a fire release at the door, in the only answer that holds it."""
    pin = issue_reset_pin(estate, door, staff.staff)
    return door_page(request, estate, staff, door, reset_pin=pin)


@router.post("/{door}/fire")
def end_fire_release(request: Request, door: str, estate: EstateDep, staff: FireEnder) -> Response:
    """End a fire release, if the door agrees."""
    try:
        end_fire(estate, door, staff.staff)
    except Conflict as refusal:
        return door_page(request, estate, staff, door, refusal)
    return go_to(f"/doors/{door}?done=fire-ended")


@router.get("/{door}/removal")
def ask_revocation(request: Request, door: str, estate: EstateDep, staff: PairReader) -> Response:
    """Say in words what revoking means, and ask."""
    return desk_page(
        request,
        estate,
        staff,
        "revocation.html.jinja",
        room="doors",
        here=f"/doors/{door}/removal",
        door=find(estate, door),
    )


@router.post("/{door}/removal")
def revoke_door(door: str, estate: EstateDep, staff: Revoker) -> Response:
    """Revoke a door: its link closes and is refused from now on."""
    revoke(estate, door, staff.staff)
    return go_to("/doors?done=revoked")


def find(estate: Estate, door: str) -> ListedDoor:
    """Return one door as lists show it.

    Raises:
        NotFound: `door-unknown`.
    """
    found = next((row for row in listing(estate) if row.door == door), None)
    if found is None:
        raise NotFound("no such door", code="door-unknown")
    return found


def read_door(name: str, direction: str) -> DoorRequest:
    """Return the door that a form describes.

    Raises:
        InputRefused: `name-missing`, `input-refused`.
    """
    try:
        return DoorRequest.model_validate({"name": name, "direction": direction})
    except ValidationError as error:
        raise _refused(error) from error


def read_change(**form: str | bool) -> DoorChange:
    """Return the settings that a form holds.

    Raises:
        InputRefused: `name-missing`, `number-wrong`, `input-refused`.
    """
    try:
        return DoorChange.model_validate(form)
    except ValidationError as error:
        raise _refused(error) from error


def _began(door: ListedDoor) -> dict[str, int]:
    """Return when a door's terminal began to run, and to match where it does, in Unix seconds."""
    moment = now()
    return {"mode": moment - round(door.mode_for_s), "run": moment - round(door.uptime_s)}


def _refused(error: ValidationError) -> InputRefused:
    field = str(error.errors()[0]["loc"][0])
    numbers = dict.fromkeys(("gate_open_s", "held_open_s"), "number-wrong")
    hours = dict.fromkeys(("looks_from", "looks_until"), "hour-unreadable")
    others = {"name": "name-missing", "looks_rate": "rate-wrong"}
    code = (others | numbers | hours).get(field)
    return InputRefused("this cannot be used", field=field, code=code)


def _list(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    *,
    name: str = "",
    pairing: ListedDoor | None = None,
    issued: IssuedCode | None = None,
    refusal: ServerError | None = None,
) -> Response:
    return desk_page(
        request,
        estate,
        staff,
        "doors.html.jinja",
        room="doors",
        here="/doors",
        refusal=refusal,
        doors=listing(estate),
        csrf=staff.csrf,
        name=name,
        directions=DIRECTIONS,
        pairing=pairing,
        issued=issued,
        server=own_address(request),
    )


def door_page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    door: str,
    refusal: ServerError | None = None,
    reset_pin: str = "",
) -> Response:
    """Answer with one door's page, and what was given or refused just now."""
    shown = find(estate, door)
    with estate.reading() as session:
        has_poster = poster_of(session, door) is not None
        settings = get_door(session, door)
        session.expunge(settings)
        openings = list_openings(session, estate.safe, door=door, limit=OPENINGS)
    return desk_page(
        request,
        estate,
        staff,
        "door.html.jinja",
        room="doors",
        here=f"/doors/{door}",
        refusal=refusal,
        door=shown,
        began=_began(shown),
        settings=settings,
        strictness=strictness(estate, settings),
        budget=estate.settings.wrong_openings_per_month,
        directions=DIRECTIONS,
        modes=MODES,
        liveness=LIVENESS,
        outside=OUTSIDE,
        written=written,
        reset_pin=reset_pin,
        openings=openings,
        has_poster=has_poster,
        cloud=estate.cloud.state(),
        own_forms=estate.settings.own_forms,
    )
