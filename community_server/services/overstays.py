"""Alarms about service workers who are inside for longer than allowed."""

from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.queries import active_subjects
from community_server.alarms.rules import read_rules
from community_server.alarms.service import end_alarms, raise_alarm
from community_server.services.inside import list_inside


def follow_overstays(session: Session, moment: int) -> None:
    """Raise what is due at `moment` (Unix seconds), and end what is over: they have left.

    Never about an estimate: where nobody can be seen to leave, nobody can be seen to stay.
    """
    grace = read_rules(session).of(AlarmKind.OVERSTAY).after_min * 60
    late = {
        one.person
        for one in list_inside(session, moment)
        if not one.estimated and one.until + grace < moment
    }
    told = active_subjects(session, AlarmKind.OVERSTAY)
    for person in sorted(late - told):
        raise_alarm(session, None, AlarmKind.OVERSTAY, person)
    for person in sorted(told - late):
        end_alarms(session, None, AlarmKind.OVERSTAY, person)
