"""Residents' own pages and doors' posters: their links made, told to the cloud, and withdrawn."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.cloud_news import close_invitations, publish_links, published_link
from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import Conflict, NotFound
from community_server.invitations.service import Here
from community_server.keys.root import root_key
from community_server.people.particulars import owner
from community_server.people.queries import get_person
from community_server.people.tables import Person
from community_server.setup.community import get_community
from community_server.vault.safe import SERVER, Safe
from community_server.visits.tables import VisitLink
from tier_link.certificates import root_fingerprint, root_public_bytes
from tier_link.invitations import LinkKind, invitation_link, new_invitation
from tier_link.store import LinkStore


def make_home_link(change: Change, links: LinkStore, person: str, here: Here | None = None) -> str:
    """Give a resident a link to a page of their own, in place of any earlier; it is shown once.

    It opens at the cloud, or `here` alone.

    Raises:
        NotFound: `person-unknown`.
        Conflict: `cloud-not-paired`; `not-a-resident`.
    """
    row = get_person(change.session, person, lock=True)
    if row.category != "resident":
        raise Conflict("only residents have a page", code="not-a-resident")
    withdraw_home_link(change, links, person)
    return _make(change, links, "home", here, person=person)


def withdraw_home_link(change: Change, links: LinkStore, person: str) -> bool:
    """Withdraw somebody's page, if there is one; say whether there was."""
    return _withdraw(change, links, home_link_of(change.session, person))


def make_poster(change: Change, links: LinkStore, door: str, here: Here | None = None) -> str:
    """Make a door's poster anew: return its link; the poster before leads nowhere any more.

    It opens at the cloud, or `here` alone.

    Raises:
        NotFound: `door-unknown`.
        Conflict: `cloud-not-paired`; `door-revoked`.
    """
    row = change.session.get(Door, door)
    if row is None:
        raise NotFound("no such door", code="door-unknown")
    if row.state == "revoked":
        raise Conflict("this door was revoked", code="door-revoked")
    withdraw_poster(change, links, door)
    return _make(change, links, "poster", here, door=door)


def withdraw_poster(change: Change, links: LinkStore, door: str) -> bool:
    """Withdraw a door's poster, if there is one; say whether there was."""
    return _withdraw(change, links, poster_of(change.session, door))


def home_link_of(session: Session, person: str) -> VisitLink | None:
    """Return a resident's link that is open."""
    return session.scalar(
        select(VisitLink).where(VisitLink.person_id == person, VisitLink.state == "open")
    )


def poster_of(session: Session, door: str) -> VisitLink | None:
    """Return a door's poster that is up."""
    return session.scalar(
        select(VisitLink).where(VisitLink.door_id == door, VisitLink.state == "open")
    )


def homes_of_unit(session: Session, unit: str) -> list[str]:
    """Return the residents of a unit who have a page of their own."""
    if not unit:
        return []
    return list(
        session.scalars(
            select(VisitLink.person_id)
            .join(Person, Person.id == VisitLink.person_id)
            .where(
                VisitLink.state == "open",
                Person.unit == unit,
                Person.category == "resident",
                Person.suspended.is_(False),
            )
            .order_by(VisitLink.created_at, VisitLink.id)
        )
    )


def open_auth(session: Session, safe: Safe, link: VisitLink) -> bytes:
    """Open a link's MAC key."""
    holder = owner(link.person_id) if link.person_id else SERVER
    return safe.open(session, holder, _context(link.id), link.auth)


def _make(
    change: Change,
    links: LinkStore,
    kind: LinkKind,
    here: Here | None,
    *,
    person: str | None = None,
    door: str | None = None,
) -> str:
    session, safe = change.session, change.safe
    community = get_community(session)
    if not here and not community.cloud_url:
        raise Conflict("pair this server with a cloud first", code="cloud-not-paired")
    holder = owner(person) if person else SERVER
    secret = new_invitation(root_fingerprint(root_public_bytes(root_key(session, safe))))
    row = VisitLink(
        id=secret.id,
        kind=kind,
        person_id=person,
        door_id=door,
        auth=safe.seal(session, holder, _context(secret.id), secret.auth),
        state="open",
        created_at=now(),
    )
    session.add(row)
    session.flush()
    if not here:  # a cloud that is paired later is told of all that stand open
        publish_links(change, links, [published_link(row)])
    address = here.address if here else community.cloud_url
    return invitation_link(address, community.slug, kind, secret)


def _withdraw(change: Change, links: LinkStore, row: VisitLink | None) -> bool:
    if row is None:
        return False
    row.state = "withdrawn"
    change.record("link-withdrawn", row.id)
    change.session.flush()
    if get_community(change.session).cloud_url:
        close_invitations(change, links, [row.id], "withdrawn")
    return True


def _context(link: str) -> str:
    return f"visit-link/{link}"
