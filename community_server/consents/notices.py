"""Word to people by mail or text message that a consent's text has changed, and what came of it."""

from datetime import datetime
from typing import Final

from community_server.change import Change
from community_server.database import now
from community_server.messages.service import queue
from community_server.pages import PAGES
from community_server.people.particulars import Known, open_known
from community_server.people.queries import get_person
from community_server.setup.community import get_community
from community_server.visits.visiting import Visiting
from tier_kit.language import LANGUAGES

_WEEK: Final = 7 * 24 * 3600


def reachable(change: Change, visiting: Visiting, person: str) -> bool:
    """Say whether the estate can write to somebody."""
    known = open_known(change.session, change.safe, get_person(change.session, person))
    return _by_mail(visiting, known) or _by_text(visiting, known)


def tell_asked(change: Change, visiting: Visiting, person: str, until: int) -> None:
    """Write that somebody is asked to agree anew, and until when."""
    date = f"{datetime.fromtimestamp(until, visiting.zone):%Y-%m-%d}"
    _tell(change, visiting, person, "asked", until, date=date)


def tell_stopped(change: Change, visiting: Visiting, person: str, pin: str, unit: str) -> None:
    """Write that somebody's face was erased, and the PIN that takes its place, if there is one."""
    what = "stopped-pin" if pin else "stopped"
    _tell(change, visiting, person, what, now() + _WEEK, pin=pin, unit=unit)


def _tell(
    change: Change, visiting: Visiting, person: str, what: str, until: int, **values: str
) -> None:
    session = change.session
    known = open_known(session, change.safe, get_person(session, person))
    places = {"estate": get_community(session).name} | values
    say = PAGES.catalogue.say
    subject = " / ".join(say(one, "consent_notice.subject", **places) for one in LANGUAGES)
    text = "\n\n".join(say(one, f"consent_notice.{what}", **places) for one in LANGUAGES)
    if _by_mail(visiting, known):
        queue(change, person, "mail", known.email, subject, text, until)
    elif _by_text(visiting, known):
        queue(change, person, "sms", known.phone, subject, text, until)


def _by_mail(visiting: Visiting, known: Known) -> bool:
    return bool(known.email) and "mail" in visiting.channels


def _by_text(visiting: Visiting, known: Known) -> bool:
    return bool(known.phone) and "sms" in visiting.channels
