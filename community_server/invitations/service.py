"""Inviting: a person, a link for them, and word to the cloud, in one transaction.

A link may open on the estate's own network alone; of that the cloud hears nothing.

A person has one open link at most: a new one ends the one before. What somebody opens doors by
stays as it is until what they send by the new link is accepted.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.cloud_news import close_invitations, publish_invitations
from community_server.database import now
from community_server.errors import Conflict, InputRefused
from community_server.intake.opening import auth_context
from community_server.invitations.queries import known_to_cloud, open_invitations
from community_server.invitations.tables import Invitation
from community_server.keys.root import root_key
from community_server.people.particulars import Known, owner
from community_server.people.queries import get_person
from community_server.people.service import add_person
from community_server.people.tables import Person
from community_server.settings import Settings
from community_server.setup.community import get_community
from tier_link.certificates import root_fingerprint, root_public_bytes
from tier_link.invitations import (
    InvitationKind,
    InvitationSecret,
    invitation_link,
    new_invitation,
)
from tier_link.store import LinkStore

DAY: Final = 24 * 3600
LONGEST_VISIT: Final = 90 * DAY
"""A visitor who comes for longer lives here."""
AT_DESK: Final = 3600
"""Seconds for which a link for the desk's own camera holds: the person is there."""
VISITORS_UNIT: Final = "0"
"""The unit that a visitor to nobody in particular enters with a PIN."""


@dataclass(frozen=True)
class Invited:
    """A fresh invitation; the link is shown once, here, and never kept.

    `fragment` is what of the link is secret, for a page that knows its own address.
    """

    invitation: str
    person: str
    link: str = field(repr=False)
    fragment: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True)
class Here:
    """That a link opens on the estate's own network: at this server's address, and how long.

    `address` is empty where the fragment alone is handed on. With `at_desk` before the desk's own
    camera, where staff stand by.
    """

    address: str = ""
    at_desk: bool = False


def usual_place(session: Session, settings: Settings, address: str = "") -> Here | None:
    """Return where a link opens of which nobody said where: at the cloud, without a cloud here.

    `address` is this server's, as whoever asks reaches it, unless the settings name another. None
    is the cloud, also where neither is there: then making the link is refused.
    """
    if get_community(session).cloud_url or not settings.own_forms:
        return None
    return Here(settings.own_address or address)


def invite(
    change: Change,
    links: LinkStore,
    *,
    kind: InvitationKind,
    known: Known,
    unit: str,
    valid_from: int,
    valid_until: int,
    doors: Collection[str],
    days: int,
    here: Here | None = None,
) -> Invited:
    """Invite a resident or a visitor; the link can be used for `days` days.

    It opens at the cloud, or `here` alone.

    Raises:
        Conflict: `cloud-not-paired`, a link to the cloud needs its address.
        InputRefused: `name-missing`, `unit-missing`, `window-missing`, `window-long`,
            `time-over`, `door-unknown`.
    """
    _check(kind, known.name, unit, valid_from or now(), valid_until)
    person = add_person(
        change,
        category=kind,
        unit=unit or VISITORS_UNIT,
        known=known,
        valid_from=valid_from,
        valid_until=valid_until,
        doors=doors,
    )
    return _make_links(change, links, [person], days, here)[0]


def invite_again(
    change: Change, links: LinkStore, person: str, *, days: int, here: Here | None = None
) -> Invited:
    """Invite somebody known already: their link was lost, or their face is to be renewed.

    Any earlier link of theirs ends. Face and PIN go on opening doors until the new enrollment
    is accepted, which replaces the face at once; then, too, staff compare as for a newcomer.

    Raises:
        NotFound: `person-unknown`.
        Conflict: `cloud-not-paired`; `time-over`, their time here has ended.
    """
    row = get_person(change.session, person, lock=True)
    if row.valid_until and row.valid_until <= now():
        raise Conflict("the agreed time is over", code="time-over")
    return _make_links(change, links, [row], days, here)[0]


def invite_many(
    change: Change,
    links: LinkStore,
    people: Collection[str],
    *,
    days: int,
    here: Here | None = None,
) -> list[Invited]:
    """Invite people known already, in their order; whoever's time is over is left out.

    Any earlier links of theirs end.

    Raises:
        NotFound: `person-unknown`.
        Conflict: `cloud-not-paired`.
    """
    moment = now()
    rows = [get_person(change.session, person, lock=True) for person in people]
    living = [row for row in rows if not row.valid_until or row.valid_until > moment]
    return _make_links(change, links, living, days, here)


def withdraw_invitation(change: Change, links: LinkStore, person: str) -> None:
    """End a person's open link; whoever opens it is told that it was withdrawn.

    Raises:
        NotFound: `person-unknown`.
        Conflict: `invitation-not-open`, there is none, or it was used a moment ago.
    """
    get_person(change.session, person, lock=True)
    if not _end_links(change, links, [person]):
        raise Conflict("this person has no open invitation", code="invitation-not-open")


def _make_links(
    change: Change,
    links: LinkStore,
    people: Sequence[Person],
    days: int,
    here: Here | None = None,
) -> list[Invited]:
    """Make a link for each, and tell the cloud of all that open there at once."""
    session = change.session
    community = get_community(session)
    address = here.address if here else community.cloud_url
    if not here and not address:
        raise Conflict("pair this server with a cloud first", code="cloud-not-paired")
    _end_links(change, links, [person.id for person in people])
    fingerprint = root_fingerprint(root_public_bytes(root_key(session, change.safe)))
    made, rows = [], []
    for person in people:
        row, secret = _draw_link(change, person, fingerprint, days, here)
        kind = _kind(person)
        link = invitation_link(address, community.slug, kind, secret)
        made.append(Invited(row.id, person.id, link, secret.fragment, row.expires_at))
        rows.append(row)
    session.flush()
    if not here:
        publish_invitations(change, links, rows)
    return made


def _draw_link(
    change: Change, person: Person, fingerprint: bytes, days: int, here: Here | None
) -> tuple[Invitation, InvitationSecret]:
    session, safe, moment = change.session, change.safe, now()
    secret = new_invitation(fingerprint)
    at_desk = here is not None and here.at_desk
    expires_at = moment + (AT_DESK if at_desk else days * DAY)
    row = Invitation(
        id=secret.id,
        person_id=person.id,
        kind=_kind(person),
        auth=safe.seal(session, owner(person.id), auth_context(secret.id), secret.auth),
        state="open",
        expires_at=min(expires_at, person.valid_until) if person.valid_until else expires_at,
        created_at=moment,
        origin="desk" if at_desk else "estate" if here else "cloud",
    )
    session.add(row)
    return row, secret


def _kind(person: Person) -> InvitationKind:
    # A service worker's form is a visitor's: what they write and show waits for the desk.
    return "resident" if person.category == "resident" else "visitor"


def _end_links(change: Change, links: LinkStore, people: Sequence[str]) -> int:
    """Withdraw people's open links; return how many there were."""
    rows = open_invitations(change.session, people)
    for row in rows:
        row.state = "withdrawn"
        change.record("link-withdrawn", row.id)
    close_invitations(change, links, known_to_cloud(rows), "withdrawn")
    return len(rows)


def _check(kind: InvitationKind, name: str, unit: str, starts: int, valid_until: int) -> None:
    if kind == "resident":
        if not name:
            raise InputRefused("a resident has a name", field="name", code="name-missing")
        if not unit:
            raise InputRefused("a resident lives in a unit", field="unit", code="unit-missing")
        return
    if not valid_until:
        raise InputRefused("a visit ends some time", field="valid_until", code="window-missing")
    if valid_until - starts > LONGEST_VISIT:
        raise InputRefused("a visit lasts at most 90 days", field="valid_until", code="window-long")
