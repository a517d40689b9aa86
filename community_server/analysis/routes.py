"""The analysis, for programs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from community_server.analysis.service import analyse
from community_server.desk import EstateDep, reader
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/analysis", tags=["analysis"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]


@router.get("")
def show_analysis(
    estate: EstateDep,
    staff: Reader,
    days: Annotated[int, Query(ge=1, le=3660)] = 30,
    door: Annotated[str, Query(max_length=64)] = "",
) -> dict[str, object]:
    """Sum up the last days: counts by hour, door, kind of people and reason, and what is unusual.

    `hours` has a row for each weekday, Monday first; `faces` says for each door how many faces it
    saw and refused in each hour of the day, and `bad` in which of them strikingly many.
    `time_inside` counts stays of service workers by how long they lasted (to 10, 20, 30, 60, 120,
    240, 480 minutes, and longer): those whose end was seen, and those that are estimates.
    """
    del staff
    found = analyse(estate, days, door)
    return asdict(found) | {
        "faces": [asdict(one) | {"bad": one.bad} for one in found.faces],
    }
