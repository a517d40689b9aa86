"""Alarms and their rules, for programs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from community_server.alarms.queries import AlarmFilter, list_alarms
from community_server.alarms.rules import (
    LONGEST_MIN,
    Escalation,
    Severity,
    Step,
    read_rules,
    set_escalation,
    set_rule,
)
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


Minutes = Annotated[int, Field(ge=0, le=LONGEST_MIN)]
Told = Annotated[str, Field(max_length=16)]


class EscalationChange(BaseModel):
    """After how many minutes unseen alarms are escalated, 0 for never, and once more.

    `tells` and `second_tells` are the role that is written to as well, empty for nobody; what is
    left out stays.
    """

    after_min: Minutes
    tells: Told | None = None
    second_after_min: Minutes | None = None
    second_tells: Told | None = None


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
    """Show what counts for each kind, and how long each severity may go unseen.

    `waits` are the minutes of the first step, `escalations` both steps and whom they tell.
    """
    del staff
    with estate.reading() as session:
        rules = read_rules(session)
    return {
        "rules": [asdict(rule) for rule in rules.by_kind.values()],
        "waits": {one: steps.first.after_min for one, steps in rules.escalations.items()},
        "escalations": {one: asdict(steps) for one, steps in rules.escalations.items()},
    }


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
def change_escalation(
    severity: Severity, body: EscalationChange, estate: EstateDep, staff: RuleSetter
) -> None:
    """Set how long alarms of one severity may go unseen, and who is told then."""
    with estate.changer.change() as change:
        before = read_rules(change.session).escalations.get(severity, Escalation())
        again = before.second.after_min if body.second_after_min is None else body.second_after_min
        wanted = Escalation(
            Step(body.after_min, before.first.tells if body.tells is None else body.tells),
            Step(again, before.second.tells if body.second_tells is None else body.second_tells),
        )
        set_escalation(change, staff.staff, severity, wanted)


def notice(estate: Estate, alarm: str, staff: str, note: str = "") -> None:
    """Acknowledge an alarm.

    Raises:
        NotFound: `alarm-unknown`.
        InputRefused: `note-long`.
    """
    with estate.changer.change() as change:
        acknowledge(change, alarm, staff, note)
