"""How grave each kind of alarm is, when it is raised, and how long it may go unseen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.tables import AlarmSetting, EscalationSetting
from community_server.audit.log import audit
from community_server.change import Change
from community_server.errors import InputRefused, NotFound
from community_server.staff.permissions import PERMISSIONS, Permission, Role


class Severity(StrEnum):
    """What an alarm asks of staff."""

    QUIET = "quiet"
    """Nothing: it stands in the history."""
    WARNING = "warning"
    URGENT = "urgent"


@dataclass(frozen=True)
class Rule:
    """What counts for one kind.

    `after_min` is a time in minutes and `most` a number, each as `MEANINGS` says; 0 where the kind
    knows no such number.
    """

    kind: str
    severity: Severity
    after_min: int = 0
    most: int = 0


DAY_MIN: Final = 24 * 60

DEFAULTS: Final[Mapping[str, Rule]] = {
    rule.kind: rule
    for rule in (
        Rule(AlarmKind.FIRE, Severity.URGENT),
        Rule(AlarmKind.FORCED_OPEN, Severity.URGENT),
        Rule(AlarmKind.CASE_TAMPER, Severity.URGENT),
        # Five in ten minutes: more than a resident in bad light tries before taking the PIN.
        Rule(AlarmKind.STRANGERS, Severity.URGENT, after_min=10, most=5),
        # Two days: long enough to send somebody over a weekend.
        Rule(AlarmKind.LEASE_ENDING, Severity.URGENT, after_min=2 * DAY_MIN),
        Rule(AlarmKind.SERVER_DISK_LOW, Severity.URGENT, most=2),
        Rule(AlarmKind.HELD_OPEN, Severity.WARNING),
        Rule(AlarmKind.INPUT_LOST, Severity.WARNING),
        Rule(AlarmKind.ENTRIES_FILLING, Severity.WARNING),
        Rule(AlarmKind.DISK_LOW, Severity.WARNING),
        Rule(AlarmKind.CAMERA_LOST, Severity.WARNING),
        Rule(AlarmKind.CAMERA_BLIND, Severity.WARNING),
        Rule(AlarmKind.CARD_READER_LOST, Severity.WARNING),
        Rule(AlarmKind.CALL_MISSED, Severity.WARNING),
        # Minutes beyond what the company is allowed: somebody looking for the way out is none yet.
        Rule(AlarmKind.OVERSTAY, Severity.WARNING, after_min=15),
        # Longer than a terminal, a switch or this server takes to start anew after a power cut.
        Rule(AlarmKind.DOOR_OFFLINE, Severity.WARNING, after_min=10),
        Rule(AlarmKind.ROSTER_BEHIND, Severity.WARNING, after_min=10),
        Rule(AlarmKind.CLOCK_UNKNOWN, Severity.WARNING, after_min=10),
        Rule(AlarmKind.NEWS_UNDELIVERED, Severity.WARNING),
        # Two days: one daily round was missed, and so was the next.
        Rule(AlarmKind.BACKUP_OLD, Severity.WARNING, after_min=2 * DAY_MIN),
        Rule(AlarmKind.FILING_NEAR, Severity.WARNING),
        Rule(AlarmKind.ASSESSMENT_MISSING, Severity.WARNING),
        # An hour: whoever sets doors up changes the configuration many times before it stands.
        Rule(AlarmKind.ASSESSMENT_CHANGED, Severity.WARNING, after_min=60),
    )
}
"""Every kind there is; `after_min` and `most` stand where staff may set them."""

TOLD: Final = tuple(role for role in Role if Permission.SEE_ALARMS in PERMISSIONS[role])
"""Whom a step may tell: those who may look at the alarm then."""


@dataclass(frozen=True)
class Step:
    """What happens once nobody has acknowledged an alarm for `after_min` minutes, 0 for never.

    The console and other systems always show it; `tells` is the role of staff that is written to as
    well, empty for none.
    """

    after_min: int = 0
    tells: str = ""


@dataclass(frozen=True)
class Escalation:
    """The two steps of one severity, both counted from the alarm's arrival."""

    first: Step = Step()
    second: Step = Step()


ESCALATIONS: Final[Mapping[Severity, Escalation]] = {
    # Who stands at the gate has five minutes; then somebody has to come from elsewhere.
    Severity.URGENT: Escalation(Step(5, Role.GUARD), Step(15, Role.MANAGER)),
    # Nobody is woken for a warning: an hour later it waits in the manager's mail.
    Severity.WARNING: Escalation(Step(60, Role.MANAGER)),
}
"""When alarms that nobody has seen are escalated, until staff set it otherwise."""

LONGEST_MIN: Final = 7 * DAY_MIN
MOST: Final = 1000


@dataclass(frozen=True)
class Rules:
    """What counts now, for all kinds and severities."""

    by_kind: Mapping[str, Rule]
    escalations: Mapping[Severity, Escalation]

    def of(self, kind: str) -> Rule:
        """Return the rule of a kind; one that a newer door made up is a warning."""
        return self.by_kind.get(kind, Rule(kind, Severity.WARNING))


def read_rules(session: Session) -> Rules:
    """Return the rules as they are set."""
    kinds = dict(DEFAULTS)
    for one in session.scalars(select(AlarmSetting)):
        if one.kind in kinds:
            kinds[one.kind] = Rule(one.kind, Severity(one.severity), one.after_min, one.most)
    escalations = dict(ESCALATIONS)
    for row in session.scalars(select(EscalationSetting)):
        escalations[Severity(row.severity)] = Escalation(
            Step(row.after_min, row.tells), Step(row.second_after_min, row.second_tells)
        )
    return Rules(kinds, escalations)


def offline_after_s(session: Session) -> int:
    """Return the seconds by which an alarm about a door that is away comes after its beginning."""
    return read_rules(session).of(AlarmKind.DOOR_OFFLINE).after_min * 60


def set_rule(
    change: Change,
    staff: str,
    kind: str,
    *,
    severity: Severity,
    after_min: int = 0,
    most: int = 0,
) -> None:
    """Set what counts for one kind from now on; alarms raised before stay as they are.

    Raises:
        NotFound: `alarm-unknown`: no such kind.
        InputRefused: `alarm-time-wrong`, `alarm-number-wrong`.
    """
    default = DEFAULTS.get(kind)
    if default is None:
        raise NotFound("no such kind of alarm", code="alarm-unknown")
    if default.after_min and not 1 <= after_min <= LONGEST_MIN:
        raise InputRefused("out of range", field="after_min", code="alarm-time-wrong")
    if default.most and not 1 <= most <= MOST:
        raise InputRefused("out of range", field="most", code="alarm-number-wrong")
    rule = replace(
        default,
        severity=severity,
        after_min=after_min if default.after_min else 0,
        most=most if default.most else 0,
    )
    change.session.merge(
        AlarmSetting(kind=kind, severity=rule.severity, after_min=rule.after_min, most=rule.most)
    )
    detail = f"{rule.severity} {rule.after_min} {rule.most}"
    audit(change.session, staff, "set-alarm-rule", detail=f"{kind} {detail}")


def set_escalation(change: Change, staff: str, severity: Severity, escalation: Escalation) -> None:
    """Set when alarms of one severity that nobody has seen are escalated, and whom that tells.

    Raises:
        InputRefused: `alarm-time-wrong`: out of range, no such severity, or a second step that does
            not come after the first; `alarm-role-wrong`.
    """
    first, second = escalation.first, escalation.second
    if severity not in ESCALATIONS or not 0 <= first.after_min <= LONGEST_MIN:
        raise InputRefused("out of range", field="after_min", code="alarm-time-wrong")
    follows = first.after_min and first.after_min < second.after_min <= LONGEST_MIN
    if second.after_min and not follows:
        raise InputRefused("not later", field="second_after_min", code="alarm-time-wrong")
    if not {first.tells, second.tells} <= {"", *TOLD}:
        raise InputRefused(
            "nobody of this role sees alarms", field="tells", code="alarm-role-wrong"
        )
    change.session.merge(
        EscalationSetting(
            severity=severity,
            after_min=first.after_min,
            tells=first.tells,
            second_after_min=second.after_min,
            second_tells=second.tells,
        )
    )
    steps = [f"{step.after_min} {step.tells}".strip() for step in (first, second)]
    audit(change.session, staff, "set-escalation", detail=f"{severity} {', '.join(steps)}")
