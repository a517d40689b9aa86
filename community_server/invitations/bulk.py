"""Inviting many at once: chosen, given links, and written to by mail or text message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.errors import Conflict
from community_server.estate import Estate
from community_server.intake.approvals import people_waiting
from community_server.invitations.queries import ends_of_invitations
from community_server.invitations.service import invite_many, usual_place
from community_server.messages.gateways import Channel
from community_server.messages.service import queue
from community_server.pages import PAGES
from community_server.people.particulars import Known, open_known
from community_server.people.queries import get_person
from community_server.people.search import search
from community_server.setup.community import get_community
from tier_kit.language import LANGUAGES, Language

MOST: Final = 300
"""People of one go: a page that an old PC draws, and a transaction that holds nobody up."""

By = Literal["links", "mail", "sms"]


@dataclass(frozen=True)
class Choice:
    """Whom: residents without a face, of one building or all, with an open link or not."""

    building: str = ""
    again: bool = False


@dataclass(frozen=True)
class BulkInvitation:
    """One of them: the link for handing on by oneself, empty where it is sent."""

    person: str
    name: str = field(repr=False)
    unit: str
    link: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True)
class Invitations:
    """What came of it; `unreached` are those without an address for this way."""

    made: Sequence[BulkInvitation]
    unreached: Sequence[str]


def choose(estate: Estate, choice: Choice) -> list[str]:
    """Return who is meant, by unit and name."""
    found = search(estate.book.everybody(), "", "face", choice.building)
    residents = [row.roster for row in found if row.roster.category == "resident"]
    with estate.reading() as session:
        waiting, ends = people_waiting(session), ends_of_invitations(session)
    moment = now()
    return [
        one.person
        for one in residents
        if one.person not in waiting
        and (choice.again or ends.get(one.person, 0) <= moment)
        and (not one.valid_until or one.valid_until > moment)
    ]


def invite_chosen(estate: Estate, choice: Choice, by: By, staff: str, address: str) -> Invitations:
    """Invite those who are meant, at most `MOST`, and note who did; `address` is this server's.

    Raises:
        Conflict: `cloud-not-paired`, `no-gateway`, or `nobody-chosen`.
    """
    if by != "links" and by not in estate.gateways:
        raise Conflict("the estate has no such gateway", code="no-gateway")
    people = choose(estate, choice)
    if not people:
        raise Conflict("nobody is meant", code="nobody-chosen")
    with estate.changer.change() as change:
        known = {one: _known(change, one) for one in people}
        reached = [one for one in people if by == "links" or _address(known[one], by)][:MOST]
        settings = estate.settings
        here = usual_place(change.session, settings, address)
        made = invite_many(change, estate.links, reached, days=settings.invitation_days, here=here)
        name = get_community(change.session).name
        for one in made:
            audit(change.session, staff, "invite-again", one.person, by)
            if by != "links":
                to = _address(known[one.person], by)
                subject, text = _written(estate, name, one.link, one.expires_at)
                queue(change, one.person, by, to, subject, text, one.expires_at)
    unreached = [] if by == "links" else [one for one in people if not _address(known[one], by)]
    return Invitations(
        [
            BulkInvitation(
                one.person,
                known[one.person].name,
                _unit(estate, one.person),
                one.link if by == "links" else "",
                one.expires_at,
            )
            for one in made
        ],
        unreached,
    )


def _known(change: Change, person: str) -> Known:
    return open_known(change.session, change.safe, get_person(change.session, person))


def _address(known: Known, channel: Channel) -> str:
    return known.email if channel == "mail" else known.phone


def _unit(estate: Estate, person: str) -> str:
    row = estate.book.find(person)
    return row.roster.unit if row else ""


def _written(estate: Estate, name: str, link: str, expires_at: int) -> tuple[str, str]:
    """Return subject and text, in both languages."""
    zone = ZoneInfo(estate.settings.time_zone)
    day = f"{datetime.fromtimestamp(expires_at, zone):%Y-%m-%d}"

    def say(language: Language, key: str) -> str:
        return PAGES.catalogue.say(language, key, estate=name, link=link, date=day)

    languages = LANGUAGES
    subject = " / ".join(say(language, "letter.subject") for language in languages)
    return subject, "\n\n".join(say(language, "letter.message") for language in languages)
