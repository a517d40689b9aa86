"""Making an estate whole again once its rows are back: keys, people who are gone, doors, cloud."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select, update

from community_server.audit.log import audit
from community_server.cards.queries import place
from community_server.cards.tables import Card
from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door
from community_server.erasure import remove_person
from community_server.intake.approvals import destroy_waiting
from community_server.intake.holding import enrollment_owner
from community_server.intake.tables import Enrollment
from community_server.keys.certified import key_owner, revive_keys
from community_server.keys.tables import CertifiedKey
from community_server.ledger.service import begin_wait
from community_server.people.particulars import owner
from community_server.people.tables import Person
from community_server.services.queries import company_owner
from community_server.services.tables import Company
from community_server.setup.community import get_community
from community_server.snapshots.service import snapshot_owner
from community_server.snapshots.tables import Snapshot
from community_server.standby.tables import Standby
from community_server.vault.safe import SERVER
from community_server.visits.details import visit_owner
from community_server.visits.queries import forget_visit
from community_server.visits.tables import Visit
from tier_link.cards import card_tag
from tier_link.replies import ReplyReason
from tier_link.store import LinkStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Revived:
    """How many people are here, and how many were erased since the backup and are gone again."""

    people: int
    erased: int


def take_keys(change: Change, keys: Mapping[str, bytes]) -> None:
    """Wrap the keys of all owners that came back; others were added since, and are lost."""
    session = change.session
    owners = {SERVER}
    owners.update(owner(one) for one in session.scalars(select(Person.id)))
    owners.update(enrollment_owner(one) for one in session.scalars(select(Enrollment.id)))
    owners.update(key_owner(one) for one in session.scalars(select(CertifiedKey.id)))
    owners.update(company_owner(one) for one in session.scalars(select(Company.id)))
    owners.update(visit_owner(one) for one in session.scalars(select(Visit.id)))
    owners.update(snapshot_owner(one) for one in session.scalars(select(Snapshot.entry)))
    for one in sorted(owners & keys.keys()):
        change.safe.take_key(session, one, keys[one])
    session.flush()


def revive(change: Change, links: LinkStore, card_key: bytes) -> Revived:
    """Remove whatever has no key any more, and make what was left out of the backup anew.

    Doors and cloud are told everything again once the server runs and has its ledger.
    """
    session, safe = change.session, change.safe
    community = get_community(session)
    revive_keys(session, safe, community.slug, now())
    _forget_shut(change)
    gone = [one for one in session.scalars(select(Person.id)) if not _has_key(change, owner(one))]
    for person in gone:
        if session.get(Person, person) is not None:  # not gone already with whom they visited
            remove_person(change, links, person)
            _log.info("person=%s erased=again reason=no-key", person)
    people = session.scalars(select(Person.id)).all()
    for card in session.scalars(select(Card)):
        number = safe.open(session, owner(card.person_id), place(card.id), card.number)
        card.tag = card_tag(card_key, int(number))
    session.execute(update(Door).where(Door.state == "paired").values(spaces_told=""))
    session.execute(update(Standby).values(node=""))  # it follows a database that is no more
    begin_wait(session, change.ledger)
    change.ledger.clear()
    audit(session, "", "restored", detail=f"{len(people)} {len(gone)}")
    session.flush()
    return Revived(len(people), len(gone))


def _forget_shut(change: Change) -> None:
    """Remove what was decided, was over or was deleted since, and stays shut."""
    session = change.session
    waiting = select(Enrollment).where(Enrollment.state == "waiting")
    for row in session.scalars(waiting).all():
        if not _has_key(change, enrollment_owner(row.id)):
            destroy_waiting(change, row)
            row.state, row.reason = "declined", ReplyReason.DECLINED_BY_DESK
            row.decided_at = now()
    for visit in session.scalars(select(Visit)).all():
        if not _has_key(change, visit_owner(visit.id)):
            forget_visit(change, visit)
    for picture in session.scalars(select(Snapshot)).all():
        if not _has_key(change, snapshot_owner(picture.entry)):
            session.delete(picture)
    for company in session.scalars(select(Company)).all():
        if not _has_key(change, company_owner(company.id)):
            change.safe.add_owner(session, company_owner(company.id))
            company.contact = None
    session.flush()


def _has_key(change: Change, one: str) -> bool:
    return change.safe.has_owner(change.session, one)
