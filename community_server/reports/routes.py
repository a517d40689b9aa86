"""Daily reports, for programs."""

from dataclasses import asdict
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.reports.service import ListedDay, Report, list_days, read_report, sign
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ENTRIES)]
Signer = Annotated[SignedIn, writer(Permission.SIGN_REPORTS)]


class SignatureRequest(BaseModel):
    """What whoever signs has to say."""

    note: Annotated[str, Field(max_length=2000, repr=False)] = ""


@router.get("")
def show_days(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List the last five weeks' days, today first; a day without `by` is not signed."""
    del staff
    return [asdict(day) for day in days(estate)]


@router.get("/{day}")
def show_report(day: str, estate: EstateDep, staff: Reader) -> dict[str, object]:
    """Show one day's report, as it was signed or as it is now."""
    del staff
    report = read(estate, day)
    figures = msgspec.to_builtins(report.figures)
    signature = asdict(report.signature) if report.signature else None
    return {
        "day": report.day,
        "over": report.over,
        "figures": figures,
        "signature": signature,
        "arrived_since": report.since,
    }


@router.post("/{day}/signature", status_code=204)
def sign_report(day: str, body: SignatureRequest, estate: EstateDep, staff: Signer) -> None:
    """Sign a day's report; its figures are kept as they are now."""
    sign_day(estate, day, staff.staff, body.note)


def days(estate: Estate) -> list[ListedDay]:
    """Return the days that are listed."""
    with estate.reading() as session:
        return list_days(session, ZoneInfo(estate.settings.time_zone))


def read(estate: Estate, day: str) -> Report:
    """Return one day's report.

    Raises:
        NotFound: `day-unknown`.
    """
    with estate.reading() as session:
        return read_report(session, estate.safe, ZoneInfo(estate.settings.time_zone), day)


def sign_day(estate: Estate, day: str, staff: str, note: str) -> None:
    """Sign a day's report, see `reports.service.sign`."""
    with estate.changer.change() as change:
        sign(change, ZoneInfo(estate.settings.time_zone), day, staff, note)
