"""Alarms, for programs."""

from typing import Annotated

from fastapi import APIRouter, Query

from community_server.alarms.service import acknowledge, list_alarms
from community_server.audit.log import audit
from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ALARMS)]
Writer = Annotated[SignedIn, writer(Permission.HANDLE_ALARMS)]


@router.get("")
def show_alarms(
    estate: EstateDep,
    staff: Reader,
    only_open: Annotated[bool, Query(alias="open")] = True,  # noqa: FBT002 - a query's word
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, object]]:
    """List alarms, the newest first: those that wait for somebody, or all."""
    del staff
    with estate.reading() as session:
        return [one.as_json() for one in list_alarms(session, only_open=only_open, limit=limit)]


@router.post("/{alarm}/acknowledge", status_code=204)
def take_notice(alarm: str, estate: EstateDep, staff: Writer) -> None:
    """Say that somebody has seen an alarm; the first name stays."""
    notice(estate, alarm, staff.staff)


def notice(estate: Estate, alarm: str, staff: str) -> None:
    """Acknowledge an alarm, and note who did.

    Raises:
        NotFound: `alarm-unknown`.
    """
    with estate.changer.change() as change:
        if acknowledge(change.session, alarm, staff):
            audit(change.session, staff, "acknowledge-alarm", alarm)
