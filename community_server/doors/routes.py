"""Doors, for programs."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field

from access_rules.lockdown import Lockdown
from community_server.alarms.queries import active_kinds
from community_server.audit.log import audit
from community_server.desk import EstateDep, reader, writer
from community_server.doors.hours import read_minute
from community_server.doors.service import (
    add_door,
    get_door,
    list_doors,
    living_door,
    revoke_door,
)
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused
from community_server.estate import Estate
from community_server.lockdown.service import DoorState, current, state_of
from community_server.people.pins import draw_pin
from community_server.rosters.members import count_members
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_link.errors import DeadlinePassed, LinkDown, RequestFailed
from tier_link.estate_messages import ESTATE, FireReset, LivenessPolicy
from tier_link.store.codes import IssuedCode

RESET_WAIT_S: Final = 5.0
"""A door answers within its disk's patience, or does not."""

router = APIRouter(prefix="/api/v1/doors", tags=["doors"])

Reader = Annotated[SignedIn, reader(Permission.SEE_DOORS)]
Setter = Annotated[SignedIn, writer(Permission.SET_DOORS)]
Pairer = Annotated[SignedIn, writer(Permission.PAIR)]
Revoker = Annotated[SignedIn, writer(Permission.PAIR, proven=True)]
FireEnder = Annotated[SignedIn, writer(Permission.HANDLE_ALARMS)]

Direction = Literal["in", "out", "both"]
Name = Annotated[str, Field(max_length=200)]
MinuteOfDay = Annotated[int, BeforeValidator(read_minute, json_schema_input_type=str)]
"""Written as "07:30"."""


class DoorRequest(BaseModel):
    """A new door."""

    name: Name
    direction: Direction = "both"


class DoorAdded(BaseModel):
    """Its id."""

    door: str


class CodeIssued(BaseModel):
    """A pairing code and until when it can be used (Unix seconds)."""

    code: str = Field(repr=False)
    expires_at: int


class ResetPinIssued(BaseModel):
    """A PIN, shown this once."""

    pin: str = Field(repr=False)


class DoorChange(BaseModel):
    """What to change; what is left out stays. See `tier_link.estate_messages.Zone`."""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    direction: Direction | None = None
    mode: Literal["auto", "local", "remote", "hybrid"] | None = None
    frames: Annotated[int, Field(ge=1, le=20)] | None = None
    gate_open_s: Annotated[float, Field(ge=0.1, le=120)] | None = None
    pin_allowed: bool | None = None
    pass_allowed: bool | None = None
    card_allowed: bool | None = None
    face_needs_second: bool | None = None
    face_needs_presence: bool | None = None
    snapshots: bool | None = None
    liveness: LivenessPolicy | None = None
    held_open_s: Annotated[float, Field(ge=1, le=3600)] | None = None
    pair: Annotated[str, Field(max_length=64)] | None = None
    looks_from: MinuteOfDay | None = None
    looks_until: MinuteOfDay | None = None
    looks_outside: Literal["slow", "off"] | None = None
    looks_rate: Annotated[float, Field(ge=2, le=60)] | None = None
    min_face_px: Annotated[int, Field(ge=8, le=4000)] | None = None
    dwell_ms: Annotated[int, Field(ge=0, le=60_000)] | None = None
    max_yaw_deg: Annotated[float, Field(ge=0, le=90)] | None = None
    cooldown_s: Annotated[float, Field(ge=0, le=3600)] | None = None


class ListedDoor(BaseModel):
    """One door: as configured, and as it says of itself."""

    door: str
    name: str
    direction: str
    paired: bool
    connected: bool
    in_step: bool
    roster_version: int
    people: int
    mode: str
    mode_wanted: str
    camera: str
    gate: str
    vision: str
    model_pack: str
    software: str
    mode_for_s: float
    detect_ms: float
    encode_ms: float
    decision_ms: float
    decisions: int
    disk_free: int | None
    temperature_c: float | None
    uptime_s: float
    looking: str
    queue: int
    time_known: bool
    alarms: list[str]
    model_pack_wanted: str
    lockdown: DoorState


@router.get("")
def show_doors(estate: EstateDep, staff: Reader) -> list[ListedDoor]:
    """List the doors and how each is doing."""
    del staff
    return listing(estate)


@router.post("", status_code=201)
def make_door(body: DoorRequest, estate: EstateDep, staff: Pairer) -> DoorAdded:
    """Add a door; pair its terminal next."""
    return DoorAdded(door=add(estate, body, staff.staff))


@router.post("/{door}/pairing", status_code=201)
def make_code(door: str, estate: EstateDep, staff: Pairer) -> CodeIssued:
    """Issue a pairing code, to be typed at the terminal within ten minutes."""
    issued = issue(estate, door, staff.staff)
    return CodeIssued(code=issued.code, expires_at=issued.expires_at)


@router.patch("/{door}", status_code=204)
def change_door(door: str, body: DoorChange, estate: EstateDep, staff: Setter) -> None:
    """Change a door's configuration; the terminal hears of it at once."""
    alter(estate, door, body, staff.staff)


@router.post("/{door}/reset-pin", status_code=201)
def make_reset_pin(door: str, estate: EstateDep, staff: Setter) -> ResetPinIssued:
    """Issue the PIN by which staff end a fire release at the door; the one before ends."""
    return ResetPinIssued(pin=issue_reset_pin(estate, door, staff.staff))


@router.post("/{door}/fire/end", status_code=204)
def end_fire_release(door: str, estate: EstateDep, staff: FireEnder) -> None:
    """End a door's fire release; the door has to be connected, and its fire input off."""
    end_fire(estate, door, staff.staff)


@router.delete("/{door}", status_code=204)
def delete_door(door: str, estate: EstateDep, staff: Revoker) -> None:
    """Revoke a door: its link closes and is refused from now on."""
    revoke(estate, door, staff.staff)


def listing(estate: Estate) -> list[ListedDoor]:
    """Return the doors as lists show them."""
    with estate.reading() as session:
        doors, people, alarms = list_doors(session), count_members(session), active_kinds(session)
        word = current(session)
        return [
            _describe(estate, door, people.get(door.id, 0), alarms.get(door.id, []), word)
            for door in doors
        ]


def _describe(
    estate: Estate, door: Door, people: int, alarms: list[str], word: Lockdown
) -> ListedDoor:
    seen = estate.watch.find(door.id)
    connected = estate.doors.link(door.id) is not None
    presence = seen.presence if seen else None
    in_step = connected and seen is not None and seen.in_step
    return ListedDoor(
        door=door.id,
        name=door.name,
        direction=door.direction,
        paired=door.state == "paired",
        connected=connected,
        in_step=in_step,
        roster_version=presence.roster_version if presence else 0,
        people=people if in_step else 0,
        mode=presence.mode if presence else door.mode,
        mode_wanted=door.mode,
        camera=presence.camera if presence else "",
        gate=presence.gate if presence else "",
        vision=presence.vision if presence else "",
        model_pack=presence.model_pack if presence else "",
        software=presence.software if presence else "",
        mode_for_s=presence.mode_for_s if presence else 0.0,
        detect_ms=presence.detect_ms if presence else 0.0,
        encode_ms=presence.encode_ms if presence else 0.0,
        decision_ms=presence.decision_ms if presence else 0.0,
        decisions=presence.decisions if presence else 0,
        disk_free=presence.disk_free if presence else None,
        temperature_c=presence.temperature_c if presence else None,
        uptime_s=presence.uptime_s if presence else 0.0,
        looking=presence.looking if presence else "",
        queue=presence.queue if presence else 0,
        time_known=presence.time_known if presence else False,
        alarms=alarms,
        model_pack_wanted=estate.configurer.model_pack,
        lockdown=state_of(door, word, connected=connected),
    )


def add(estate: Estate, body: DoorRequest, staff: str) -> str:
    """Add a door, and note who did; return its id."""
    with estate.changer.change() as change:
        door = add_door(change.session, body.name, body.direction)
        audit(change.session, staff, "add-door", door)
    return door


def issue(estate: Estate, door: str, staff: str) -> IssuedCode:
    """Issue a pairing code, and note who did."""
    with estate.changer.change() as change:
        issued = estate.doors.issue_code(change.session, door)
        audit(change.session, staff, "issue-pairing-code", door)
    return issued


def alter(estate: Estate, door: str, body: DoorChange, staff: str) -> None:
    """Change a door, tell its terminal, and note who did.

    Raises:
        NotFound: `door-unknown`.
        Conflict: `door-revoked`.
        InputRefused: `second-needs-pin`.
    """
    with estate.changer.change() as change:
        row = living_door(change.session, door)
        for field, value in body.model_dump(exclude_none=True).items():
            setattr(row, field, value)
        demands_second = row.face_needs_second or row.liveness == "second"
        if demands_second and not row.pin_allowed:
            raise InputRefused(
                "a face that needs a second credential needs PINs to be allowed",
                field="face_needs_second" if row.face_needs_second else "liveness",
                code="second-needs-pin",
            )
        if row.state == "paired":
            estate.configurer.send(change, row)
        audit(change.session, staff, "configure-door", door)


def issue_reset_pin(estate: Estate, door: str, staff: str) -> str:
    """Issue a door's reset PIN, tell its terminal, and note who did."""
    with estate.changer.change() as change:
        row = living_door(change.session, door)
        pin, row.reset_pin = draw_pin(())
        if row.state == "paired":
            estate.configurer.send(change, row)
        audit(change.session, staff, "issue-reset-pin", door)
    return pin


def end_fire(estate: Estate, door: str, staff: str) -> None:
    """Ask a door to end its fire release, and note who did.

    Raises:
        NotFound: `door-unknown`.
        Conflict: `door-away`, `door-silent`, `fire-still-active`, `no-fire`.
    """
    with estate.reading() as session:
        get_door(session, door)
    link, question = estate.doors.link(door), FireReset(staff)
    if link is None:
        raise Conflict("this door is not connected", code="door-away")
    try:
        link.request(ESTATE.kind(question), ESTATE.encode(question), RESET_WAIT_S)
    except RequestFailed as refused:
        raise _not_ended(refused.code) from refused
    except (LinkDown, DeadlinePassed) as silent:
        raise _not_ended("") from silent
    with estate.changer.change() as change:
        audit(change.session, staff, "end-fire", door)


def _not_ended(code: str) -> Conflict:
    match code:
        case "fire-still-active":
            return Conflict("the fire input is still on", code="fire-still-active")
        case "no-fire":
            return Conflict("there is no fire release", code="no-fire")
        case _:
            return Conflict("the door did not answer", code="door-silent")


def revoke(estate: Estate, door: str, staff: str) -> None:
    """Revoke a door, close its link, and note who did."""
    with estate.changer.change() as change:
        revoke_door(change, estate.links, door)
        estate.thresholds.scores.forget(change.session, door)
        estate.fading.forget(door)
        audit(change.session, staff, "revoke-door", door)
    estate.doors.drop(door)
