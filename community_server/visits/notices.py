"""Word to hosts by mail or text message; it names the door, never the visitor."""

from collections.abc import Collection

from sqlalchemy import func, select

from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door
from community_server.messages.service import queue
from community_server.pages import PAGES
from community_server.people.particulars import open_known
from community_server.people.queries import get_person
from community_server.setup.community import get_community
from community_server.visits.tables import Visit
from community_server.visits.visiting import (
    NOTICES_PER_UNIT_AND_HOUR,
    UNANSWERED_S,
    Visiting,
)
from tier_kit.language import LANGUAGES

_HOUR = 3600


def tell_asked(change: Change, visiting: Visiting, visit: Visit, hosts: Collection[str]) -> None:
    """Write to a unit that somebody asks for it, unless that has happened too often this hour."""
    recent = change.session.scalar(
        select(func.count()).where(
            Visit.unit == visit.unit,
            Visit.request_id != "",
            Visit.created_at > now() - _HOUR,
        )
    )
    if (recent or 0) <= NOTICES_PER_UNIT_AND_HOUR:
        _tell(change, visiting, visit, hosts, "asked")


def tell_decided(change: Change, visiting: Visiting, visit: Visit, hosts: Collection[str]) -> None:
    """Write to the hosts that the desk has decided."""
    _tell(change, visiting, visit, hosts, visit.state)


def _tell(
    change: Change, visiting: Visiting, visit: Visit, hosts: Collection[str], what: str
) -> None:
    session = change.session
    door = session.get(Door, visit.door_id) if visit.door_id else None
    values = {"estate": get_community(session).name, "door": door.name if door else ""}
    where = "at-door" if door else "invited"
    say = [
        (
            PAGES.catalogue.say(language, "visit_notice.subject", **values),
            PAGES.catalogue.say(language, f"visit_notice.{what}-{where}", **values),
        )
        for language in LANGUAGES
    ]
    subject = " / ".join(one for one, _ in say)
    text = "\n\n".join(one for _, one in say)
    for host in hosts:
        known = open_known(session, change.safe, get_person(session, host))
        until = now() + UNANSWERED_S
        if known.email and "mail" in visiting.channels:
            queue(change, host, "mail", known.email, subject, text, until)
        elif known.phone and "sms" in visiting.channels:
            queue(change, host, "sms", known.phone, subject, text, until)
