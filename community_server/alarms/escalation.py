"""What nobody has taken notice of in time: shown in red, and told to staff, in two steps."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, cast
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from community_server.alarms.rules import Escalation, Severity, Step, read_rules
from community_server.alarms.service import news
from community_server.alarms.tables import Alarm
from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door
from community_server.events.kinds import AlarmEscalated
from community_server.events.service import tell
from community_server.messages.gateways import Channel
from community_server.messages.service import count_for_staff, queue_for_staff
from community_server.pages import PAGES
from community_server.setup.community import get_community
from community_server.staff.contact import Contact, reachable
from tier_kit.language import LANGUAGES, Language

USEFUL_FOR_S: Final = 2 * 3600
"""Whoever hears of an alarm later than that has heard of it by other ways."""
MESSAGES_PER_HOUR: Final = 12
"""To one member of staff, so that a night of power cuts does not bury the one that matters."""
NAMED: Final = 5
"""Alarms that one message names; of more it says how many."""
_HOUR: Final = 3600


@dataclass(frozen=True)
class Telling:
    """By which ways staff are written to, in which time zone."""

    channels: Collection[Channel] = ()
    time_zone: str = "UTC"


UNTOLD: Final = Telling()
"""Nobody is written to: there is no gateway."""


def escalate(change: Change, telling: Telling, moment: int) -> int:
    """Escalate what nobody has seen for as long as its severity may wait; return how many.

    Time counts from when this server heard of it, for both steps.
    """
    session = change.session
    escalations = read_rules(session).escalations
    due: defaultdict[tuple[Severity, Step], list[Alarm]] = defaultdict(list)
    rows = select(Alarm).where(
        Alarm.acknowledged_at == 0,
        or_(Alarm.escalated_at == 0, Alarm.escalated_again_at == 0),
    )
    for row in session.scalars(rows.order_by(Alarm.raised_at, Alarm.alarm).with_for_update()):
        severity = Severity(row.severity)
        step = _take_step(row, escalations.get(severity, Escalation()), moment)
        if step is not None:
            number = 2 if row.escalated_again_at else 1
            tell(session, news(AlarmEscalated, row, step=number))
            due[severity, step].append(row)
    session.flush()
    for (severity, step), alarms in due.items():
        _write(change, telling, severity, step, alarms)
    return sum(map(len, due.values()))


def _take_step(row: Alarm, escalation: Escalation, moment: int) -> Step | None:
    """Note the step that an alarm has come to, if it has."""
    first, second = escalation.first, escalation.second
    waited = moment - row.received_at
    if not row.escalated_at:
        if first.after_min and waited >= first.after_min * 60:
            row.escalated_at = moment
            return first
    elif second.after_min and waited >= second.after_min * 60:
        row.escalated_again_at = moment
        return second
    return None


def _write(
    change: Change, telling: Telling, severity: Severity, step: Step, alarms: Sequence[Alarm]
) -> None:
    """Write to everybody of a step's role, unless they were written to too often this hour."""
    session = change.session
    if not step.tells or not telling.channels:
        return
    subject, text = _written(change, telling, alarms)
    for staff, contact in reachable(session, change.safe, step.tells):
        room = MESSAGES_PER_HOUR - count_for_staff(session, staff, now() - _HOUR)
        for channel, to in islice(_ways(contact, telling.channels, severity), max(room, 0)):
            queue_for_staff(change, staff, channel, to, subject, text, now() + USEFUL_FOR_S)


def _ways(
    contact: Contact, channels: Collection[Channel], severity: Severity
) -> Iterator[tuple[Channel, str]]:
    """Return how somebody is told: of what is urgent by all ways, else by the quieter one."""
    known = {"mail": contact.email, "sms": contact.phone}
    ways = [(channel, to) for channel, to in known.items() if to and channel in channels]
    for channel, to in ways if severity is Severity.URGENT else ways[:1]:
        yield cast("Channel", channel), to


def _written(change: Change, telling: Telling, alarms: Sequence[Alarm]) -> tuple[str, str]:
    """Return subject and text in every language; they name kinds, doors and times, nobody."""
    estate = get_community(change.session).name
    say = PAGES.catalogue.say
    subject = " / ".join(say(one, "alarm_notice.subject", estate=estate) for one in LANGUAGES)
    parts = []
    for language in LANGUAGES:
        lines = [say(language, "alarm_notice.text", estate=estate)]
        lines += [_line(change, telling, language, alarm) for alarm in alarms[:NAMED]]
        if len(alarms) > NAMED:
            lines.append(say(language, "alarm_notice.more", count=len(alarms) - NAMED))
        parts.append("\n".join(lines))
    return subject, "\n\n".join(parts)


def _line(change: Change, telling: Telling, language: Language, alarm: Alarm) -> str:
    say = PAGES.catalogue.say
    door = change.session.get(Door, alarm.door_id) if alarm.door_id else None
    since = datetime.fromtimestamp(alarm.raised_at / 1000, ZoneInfo(telling.time_zone))
    return say(
        language,
        "alarm_notice.line",
        # A newer door may have made a kind up.
        alarm=PAGES.catalogue.branch(language, "alarm").get(alarm.kind, alarm.kind),
        place=door.name if door else say(language, "alarms.server"),
        time=f"{since:%m-%d %H:%M}",
    )
