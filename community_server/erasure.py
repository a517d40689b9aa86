"""Removing a person: everywhere, answered for, without a trace in the files."""

from community_server.change import Change
from community_server.cloud_news import close_invitations
from community_server.intake.approvals import end_waiting, waiting_of
from community_server.intake.replies import Answer
from community_server.invitations.queries import known_to_cloud, open_invitations
from community_server.passes.service import take_pass_back
from community_server.people.particulars import owner
from community_server.people.queries import get_person
from community_server.receipts.erasures import begin_erasure
from community_server.services.stays import forget_stays
from community_server.snapshots.service import forget_snapshots_of
from community_server.visits.links import withdraw_home_link
from community_server.visits.queries import forget_visit, hosted_by, visit_of
from tier_link.replies import ReplyReason
from tier_link.store import LinkStore


def remove_person(change: Change, links: LinkStore, person: str) -> None:
    """Remove somebody: rows, data key, open invitations, and their place on every door.

    Entries stay, with an id that leads nowhere any more.

    Raises:
        NotFound: `person-unknown`.
    """
    session = change.session
    row = get_person(session, person, lock=True)
    for waiting in waiting_of(session, person):
        end_waiting(change, links, waiting, Answer("refused", ReplyReason.DECLINED_BY_DESK))
    published = known_to_cloud(open_invitations(session, [person]))
    close_invitations(change, links, published, "withdrawn")
    take_pass_back(change, person)
    _end_visits(change, links, person)
    forget_stays(session, [person])
    forget_snapshots_of(change, person)
    begin_erasure(change, row, "person")
    change.safe.destroy(session, owner(person))
    session.delete(row)
    session.flush()
    change.touch(person)
    change.record("person-erased", person)
    change.wipe()


def _end_visits(change: Change, links: LinkStore, person: str) -> None:
    """End somebody's own visit, the page they invited from, and whoever is here because of them."""
    withdraw_home_link(change, links, person)
    own = visit_of(change.session, person)
    if own is not None:
        forget_visit(change, own)
    for visit in hosted_by(change.session, person):
        visitor = visit.person_id
        forget_visit(change, visit)
        if visitor is not None:
            remove_person(change, links, visitor)
