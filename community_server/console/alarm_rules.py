"""What counts for each kind of alarm, on one form."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from community_server.alarms.rules import (
    DEFAULTS,
    LONGEST_MIN,
    MOST,
    TOLD,
    Escalation,
    Rule,
    Rules,
    Severity,
    Step,
    read_rules,
    set_escalation,
    set_rule,
)
from community_server.change import Change
from community_server.console.frame import desk_page, form_writer, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import InputRefused, ServerError
from community_server.estate import Estate
from community_server.staff.contact import reachable
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/alarms/rules")

Reader = Annotated[SignedIn, reader(Permission.SET_ALARMS)]
Writer = Annotated[SignedIn, form_writer(Permission.SET_ALARMS)]


async def get_fields(request: Request) -> Mapping[str, str]:
    """Return a form's fields by name, whatever they are called."""
    return {name: str(value) for name, value in (await request.form()).items()}


FieldsDep = Annotated[Mapping[str, str], Depends(get_fields)]


@router.get("")
def show_rules(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show what counts."""
    return _page(request, estate, staff)


@router.post("")
def change_rules(request: Request, estate: EstateDep, staff: Writer, fields: FieldsDep) -> Response:
    """Set what has been changed, all of it or nothing."""
    try:
        with estate.changer.change() as change:
            _set(change, staff.staff, read_rules(change.session), fields)
    except InputRefused as refusal:
        return _page(request, estate, staff, refusal)
    return go_to("/alarms/rules?done=rules-saved")


def _set(change: Change, staff: str, rules: Rules, fields: Mapping[str, str]) -> None:
    """Set each rule and wait that the form holds otherwise than it is."""
    for severity, before in rules.escalations.items():
        wanted = Escalation(
            Step(
                _number(fields, f"wait-{severity}", before.first.after_min),
                fields.get(f"tells-{severity}", before.first.tells),
            ),
            Step(
                _number(fields, f"second-wait-{severity}", before.second.after_min),
                fields.get(f"second-tells-{severity}", before.second.tells),
            ),
        )
        if wanted != before:
            set_escalation(change, staff, severity, wanted)
    for kind, rule in rules.by_kind.items():
        wanted_rule = Rule(
            kind,
            _severity(fields, kind, rule.severity),
            _number(fields, f"after-{kind}", rule.after_min),
            _number(fields, f"most-{kind}", rule.most),
        )
        if wanted_rule != rule:
            set_rule(
                change,
                staff,
                kind,
                severity=wanted_rule.severity,
                after_min=wanted_rule.after_min,
                most=wanted_rule.most,
            )


def _severity(fields: Mapping[str, str], kind: str, before: Severity) -> Severity:
    try:
        return Severity(fields.get(f"severity-{kind}", before))
    except ValueError as error:
        raise InputRefused("no such severity", field=f"severity-{kind}") from error


def _number(fields: Mapping[str, str], name: str, before: int) -> int:
    try:
        return int(fields.get(name, before))
    except ValueError as error:
        raise InputRefused("not a number", field=name, code="alarm-number-wrong") from error


def _page(
    request: Request, estate: Estate, staff: SignedIn, refusal: ServerError | None = None
) -> Response:
    with estate.reading() as session:
        rules = read_rules(session)
        deaf = [role for role in TOLD if not any(reachable(session, estate.safe, role))]
    return desk_page(
        request,
        estate,
        staff,
        "alarm_rules.html.jinja",
        room="alarms",
        here="/alarms/rules",
        refusal=refusal,
        rules=list(rules.by_kind.values()),
        escalations=rules.escalations,
        told=TOLD,
        deaf=deaf,
        gateways=sorted(estate.gateways),
        severities=list(Severity),
        defaults=DEFAULTS,
        longest=LONGEST_MIN,
        most=MOST,
    )
