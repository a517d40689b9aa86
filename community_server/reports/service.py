"""Days and their reports: what is to be signed, signing, and what was signed."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.entries.tables import EntryHour, EntryKind
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.reports.figures import Figures, Span, sum_up
from community_server.reports.tables import DailyReport
from community_server.staff.tables import StaffMember
from community_server.vault.safe import SERVER, Safe

LISTED: Final = 35
"""Days that are listed: five weeks."""
MAX_NOTE: Final = 500
"""Characters of what whoever signs has to say."""


@dataclass(frozen=True)
class Signature:
    """Who signed a report and when (Unix seconds), and what they wrote."""

    by: str
    at: int
    note: str = field(repr=False)


@dataclass(frozen=True)
class ListedDay:
    """One day in the list; `over` says that it can be signed."""

    day: str
    granted: int
    refused: int
    over: bool
    by: str
    signed_at: int


@dataclass(frozen=True)
class Report:
    """One day's report: as it was signed, or as it is now.

    `since` is how many more of the day's entries have arrived since it was signed.
    """

    day: str
    figures: Figures
    signature: Signature | None
    over: bool
    since: int


def span_of(day: str, zone: ZoneInfo) -> Span:
    """Return when a day (`2026-11-25`) begins and ends by the estate's clock.

    Raises:
        NotFound: `day-unknown`, not a day, or one to come.
    """
    try:
        begins = datetime.combine(date.fromisoformat(day), datetime.min.time(), zone)
        ends = datetime.combine(begins.date() + timedelta(days=1), datetime.min.time(), zone)
    except (ValueError, OverflowError) as error:
        raise NotFound("this is not a day", code="day-unknown") from error
    span = Span(int(begins.timestamp()), int(ends.timestamp()))
    if day != begins.date().isoformat() or span.begin > now():
        raise NotFound("this is not a day that has begun", code="day-unknown")
    return span


def list_days(session: Session, zone: ZoneInfo) -> list[ListedDay]:
    """Return the last days, today first, back to the first that has entries."""
    today = datetime.fromtimestamp(now(), zone).date()
    first = session.scalar(select(func.min(EntryHour.hour)))
    oldest = datetime.fromtimestamp(first, zone).date() if first else today
    days = [today - timedelta(days=back) for back in range(LISTED)]
    names = [day.isoformat() for day in days if day >= oldest or day == today]
    counts = _count_days(session, zone, span_of(names[-1], zone).begin)
    signed = {
        day: (by, at)
        for day, by, at in session.execute(
            select(DailyReport.day, StaffMember.username, DailyReport.signed_at)
            .outerjoin(StaffMember, StaffMember.id == DailyReport.staff_id)
            .where(DailyReport.day >= names[-1])
        )
    }
    return [
        ListedDay(
            day,
            counts[day, True],
            counts[day, False],
            over=day != today.isoformat(),
            by=signed.get(day, ("", 0))[0] or "",
            signed_at=signed.get(day, ("", 0))[1],
        )
        for day in names
    ]


def read_report(session: Session, safe: Safe, zone: ZoneInfo, day: str) -> Report:
    """Return one day's report.

    Raises:
        NotFound: `day-unknown`.
    """
    span, moment = span_of(day, zone), now()
    present, over = sum_up(session, span, moment), span.end <= moment
    row = session.get(DailyReport, day)
    if row is None:
        return Report(day, present, None, over, since=0)
    figures = msgspec.json.decode(row.figures, type=Figures)
    member = session.get(StaffMember, row.staff_id)
    note = safe.open(session, SERVER, _place(day), row.note).decode() if row.note else ""
    more = present.granted + present.refused - figures.granted - figures.refused
    signature = Signature(member.username if member else "", row.signed_at, note)
    return Report(day, figures, signature, over, since=max(0, more))


def sign(change: Change, zone: ZoneInfo, day: str, staff: str, note: str) -> None:
    """Sign a day's report: its figures are kept as they are now.

    Raises:
        NotFound: `day-unknown`.
        Conflict: `day-not-over`, `report-signed`.
        InputRefused: `report-note-long`.
    """
    session, said, moment = change.session, note.strip(), now()
    span = span_of(day, zone)
    if span.end > moment:
        raise Conflict("this day is not over yet", code="day-not-over")
    if len(said) > MAX_NOTE:
        raise InputRefused(f"at most {MAX_NOTE} characters", field="note", code="report-note-long")
    if session.get(DailyReport, day) is not None:
        raise Conflict("somebody signed this report already", code="report-signed")
    sealed = change.safe.seal(session, SERVER, _place(day), said.encode()) if said else None
    figures = msgspec.json.encode(sum_up(session, span, moment)).decode()
    session.add(
        DailyReport(day=day, figures=figures, staff_id=staff, note=sealed, signed_at=moment)
    )
    session.flush()
    audit(session, staff, "sign-report", day)


def _count_days(session: Session, zone: ZoneInfo, since: int) -> Counter[tuple[str, bool]]:
    counts = Counter[tuple[str, bool]]()
    rows = session.execute(
        select(EntryHour.hour, EntryKind.granted, func.sum(EntryHour.count))
        .join(EntryKind, EntryKind.id == EntryHour.kind_id)
        .where(EntryHour.hour >= since)
        .group_by(EntryHour.hour, EntryKind.granted)
    )
    for hour, granted, count in rows:
        counts[datetime.fromtimestamp(hour, zone).date().isoformat(), granted] += int(count)
    return counts


def _place(day: str) -> str:
    return f"daily-report/{day}"
