"""What needs somebody now, at a glance."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from community_server.cloud_connection import CloudState
from community_server.console.frame import clock_of, desk_page, fragment
from community_server.desk import EstateDep, ReaderDep
from community_server.doors.routes import ListedDoor
from community_server.doors.routes import listing as list_doors
from community_server.entries.service import ShownEntry, list_entries
from community_server.estate import Estate
from community_server.intake.approvals import Waiting, list_waiting

router = APIRouter()

LATEST = 8
"""Entries shown here: a glance, not a log."""


@dataclass(frozen=True)
class Overview:
    """What the first page shows. `troubled` are the doors that want attention."""

    waiting: list[Waiting]
    doors: list[ListedDoor]
    troubled: list[ListedDoor]
    cloud: CloudState
    entries: list[ShownEntry]


@router.get("/")
def show_overview(request: Request, estate: EstateDep, staff: ReaderDep) -> Response:
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
def refresh_overview(request: Request, estate: EstateDep, staff: ReaderDep) -> Response:
    """Show what is new on the first page."""
    del staff
    return fragment(
        request,
        "overview_live.html.jinja",
        overview=look(estate),
        clock=clock_of(request, estate),
    )


def look(estate: Estate) -> Overview:
    """Gather what the first page shows."""
    doors = list_doors(estate)
    with estate.reading() as session:
        waiting = list_waiting(session, estate.safe)
        entries = list(list_entries(session, estate.name_of, after=None, limit=LATEST))
    return Overview(
        waiting=waiting,
        doors=doors,
        troubled=[door for door in doors if not is_fine(door)],
        cloud=estate.cloud.state(),
        entries=entries[::-1],
    )


def is_fine(door: ListedDoor) -> bool:
    """Say whether a door wants no attention."""
    working = door.camera in {"", "camera-none"} and not door.gate and not door.vision
    return door.connected and door.in_step and working
