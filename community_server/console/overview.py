"""What needs somebody now, at a glance."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from community_server.alarms.queries import AlarmFilter, ShownAlarm, list_alarms
from community_server.backups.routes import look as look_at_backups
from community_server.backups.service import BackupState
from community_server.cloud_connection import CloudState
from community_server.console.frame import clock_of, desk_page, fragment
from community_server.database import now
from community_server.desk import EstateDep, reader
from community_server.doors.routes import ListedDoor
from community_server.doors.routes import listing as list_doors
from community_server.entries.service import ShownEntry, list_entries
from community_server.estate import Estate
from community_server.intake.approvals import Waiting, list_waiting, people_waiting
from community_server.invitations.queries import ends_of_invitations
from community_server.people.fading import FadingBook
from community_server.privacy.faces import faces_are_on
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter()

Reader = Annotated[SignedIn, reader(Permission.SEE_ESTATE)]

MOST_ALARMS = 5
"""Alarms shown here; their own page has all."""
LATEST = 8
"""Entries shown here: a glance, not a log."""


@dataclass(frozen=True)
class Overview:
    """What the first page shows.

    `troubled` are the doors that want attention; `fading` id and name of the people whom doors
    recognise less and less and who have not been invited to renew their face yet; `renewed`, while
    a model is being replaced, how many faces the new one knows, and how many there are; `backups`
    how these are doing; `faces` whether faces may be used.
    """

    waiting: list[Waiting]
    doors: list[ListedDoor]
    troubled: list[ListedDoor]
    cloud: CloudState
    entries: list[ShownEntry]
    fading: list[tuple[str, str]]
    renewed: tuple[int, int] | None
    alarms: list[ShownAlarm]
    backups: BackupState
    faces: bool


@router.get("/")
def show_overview(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the first page."""
    return desk_page(
        request,
        estate,
        staff,
        "overview.html.jinja",
        room="overview",
        here="/",
        overview=look(estate),
    )


@router.get("/overview/live")
def refresh_overview(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show what is new on the first page."""
    return fragment(
        request,
        "overview_live.html.jinja",
        overview=look(estate),
        may=staff.permissions,
        clock=clock_of(request, estate),
    )


def look(estate: Estate) -> Overview:
    """Gather what the first page shows."""
    doors = list_doors(estate)
    with estate.reading() as session:
        waiting = list_waiting(session, estate.safe)
        entries = list(list_entries(session, estate.name_of, after=None, limit=LATEST))
        fading = _to_be_invited(session, estate.fading)
        faces = faces_are_on(session)
        alarms = list_alarms(session, estate.safe, AlarmFilter(only_open=True), limit=MOST_ALARMS)
    return Overview(
        waiting=waiting,
        doors=doors,
        troubled=[door for door in doors if not is_fine(door)],
        cloud=estate.cloud.state(),
        entries=entries[::-1],
        renewed=_renewed(estate),
        alarms=alarms,
        backups=look_at_backups(estate),
        faces=faces,
        fading=[(person, estate.name_of(person)) for person in fading],
    )


def _renewed(estate: Estate) -> tuple[int, int] | None:
    if estate.former is None:
        return None
    known = len(estate.gallery)
    return known, known + len(estate.former.gallery)


def _to_be_invited(session: Session, book: FadingBook) -> list[str]:
    fading = book.people(session)
    if not fading:
        return []
    waiting, ends, moment = people_waiting(session), ends_of_invitations(session), now()
    return [one for one in fading if one not in waiting and ends.get(one, 0) <= moment]


def is_fine(door: ListedDoor) -> bool:
    """Say whether a door wants no attention."""
    working = door.camera in {"", "camera-none"} and not door.gate and not door.vision
    return door.connected and door.in_step and working and not door.alarms
