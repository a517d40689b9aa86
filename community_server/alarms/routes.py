"""Alarms and their rules, for programs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from community_server.alarms.queries import AlarmFilter, list_alarms
from community_server.alarms.rules import LONGEST_MIN, Severity, read_rules, set_rule, set_wait
from community_server.alarms.service import acknowledge
from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ALARMS)]
Writer = Annotated[SignedIn, writer(Permission.HANDLE_ALARMS)]
RuleSetter = Annotated[SignedIn, writer(Permission.SET_ALARMS)]

Word = Annotated[str, Query(max_length=40)]
Milliseconds = Annotated[int, Query(ge=0, le=2**53)]


class Notice(BaseModel):
    """What whoever acknowledges an alarm has to say; at most 200 characters."""

    note: Annotated[str, Field(max_length=1000)] = Field(default="", repr=False)


class RuleChange(BaseModel):
    """What counts for one kind; numbers that the kind does not know are left out."""

    severity: Severity
    after_min: int = 0
    most: int = 0


class WaitChange(BaseModel):
    """After how many minutes unseen alarms are escalated; 0 for never."""

    after_min: Annotated[int, Field(ge=0, le=LONGEST_MIN)]


@router.get("")
def show_alarms(
    estate: EstateDep,
    staff: Reader,
    only_open: Annotated[bool, Query(alias="open")] = True,  # noqa: FBT002 - a query's word
    kind: Word = "",
    door: Word = "",
    since: Milliseconds = 0,
    until: Milliseconds = 0,
    before: Word = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, object]]:
    """List alarms, the newest first: those that wait for somebody, or all.

    `door` is an id or `server`; `since` and `until` are Unix milliseconds; `before` is the alarm
    that the page before ended with.
    """
    del staff
    wanted = AlarmFilter(
        only_open=only_open, kind=kind, door=door, since=since, until=until, before=before
    )
    with estate.reading() as session:
        return [one.as_json() for one in list_alarms(session, estate.safe, wanted, limit=limit)]


@router.post("/{alarm}/acknowledge", status_code=204)
def take_notice(alarm: str, estate: EstateDep, staff: Writer, body: Notice | None = None) -> None:
    """Say that somebody has seen an alarm, and what they found; the first name stays."""
    notice(estate, alarm, staff.staff, body.note if body else "")


@router.get("/rules")
def show_rules(estate: EstateDep, staff: Reader) -> dict[str, object]:
    """Show what counts for each kind, and how long each severity may go unseen."""
    del staff
    with estate.reading() as session:
        rules = read_rules(session)
    return {"rules": [asdict(rule) for rule in rules.by_kind.values()], "waits": rules.waits}


@router.put("/rules/{kind}", status_code=204)
def change_rule(kind: str, body: RuleChange, estate: EstateDep, staff: RuleSetter) -> None:
    """Set what counts for one kind from now on."""
    with estate.changer.change() as change:
        set_rule(
            change,
            staff.staff,
            kind,
            severity=body.severity,
            after_min=body.after_min,
            most=body.most,
        )


@router.put("/escalation/{severity}", status_code=204)
def change_wait(severity: Severity, body: WaitChange, estate: EstateDep, staff: RuleSetter) -> None:
    """Set how long alarms of one severity may go unseen."""
    with estate.changer.change() as change:
        set_wait(change, staff.staff, severity, body.after_min)


def notice(estate: Estate, alarm: str, staff: str, note: str = "") -> None:
    """Acknowledge an alarm.

    Raises:
        NotFound: `alarm-unknown`.
        InputRefused: `note-long`.
    """
    with estate.changer.change() as change:
        acknowledge(change, alarm, staff, note)
