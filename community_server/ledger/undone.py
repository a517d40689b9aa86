"""What each kind of row undid, undone once more in a server that was put back from a backup."""

import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from community_server.cards.service import take_card
from community_server.cards.tables import Card
from community_server.change import Change
from community_server.cloud_news import close_invitations
from community_server.doors.service import revoke_door
from community_server.doors.tables import Door
from community_server.erasure import remove_person
from community_server.invitations.queries import known_to_cloud
from community_server.invitations.tables import Invitation
from community_server.keys.retiring import retire_again
from community_server.passes.tables import Pass
from community_server.people.service import forget_face
from community_server.people.tables import Person, Template
from community_server.staff.accounts import shut_again
from community_server.staff.tables import ApiToken
from community_server.staff.tokens import revoke_token
from community_server.visits.tables import VisitLink
from tier_link.ledger import LedgerRow, pass_of_subject
from tier_link.passes import LONGEST_ALONE_S
from tier_link.relay_messages import Closing
from tier_link.store import LinkStore

_log = logging.getLogger(__name__)

Undo: TypeAlias = Callable[[Change, LinkStore, LedgerRow], None]


def undo(change: Change, links: LinkStore, row: LedgerRow) -> None:
    """Do what a row says; nothing where it is done already, or its kind is not known here."""
    doing = _KINDS.get(row.kind)
    if doing is None:
        _log.warning("ledger=kept number=%d kind=%s reason=unknown-kind", row.number, row.kind)
        return
    doing(change, links, row)
    # It was done then, not now, and is on record.
    mark = (row.kind, row.subject, 0)
    change.ledger[:] = [one for one in change.ledger if one != mark]


def is_living(change: Change, door: str) -> bool:
    """Say whether a door is here and was not revoked."""
    row = change.session.get(Door, door)
    return row is not None and row.state != "revoked"


def _erase_person(change: Change, links: LinkStore, row: LedgerRow) -> None:
    if change.session.get(Person, row.subject) is not None:
        remove_person(change, links, row.subject)
        _log.info("person=%s erased=again reason=ledger", row.subject)


def _erase_face(change: Change, links: LinkStore, row: LedgerRow) -> None:
    del links
    session = change.session
    person, face = session.get(Person, row.subject), session.get(Template, row.subject)
    # One that was given later, and is in the backup, stays.
    if person is not None and face is not None and face.created_at <= row.at:
        forget_face(change, person)


def _revoke_door(change: Change, links: LinkStore, row: LedgerRow) -> None:
    if is_living(change, row.subject):
        revoke_door(change, links, row.subject)
        _log.info("door=%s revoked=again reason=ledger", row.subject)


def _use_invitation(change: Change, links: LinkStore, row: LedgerRow) -> None:
    _close(change, links, row.subject, "used")


def _withdraw_link(change: Change, links: LinkStore, row: LedgerRow) -> None:
    """Withdraw an invitation, a resident's own page or a door's poster."""
    _close(change, links, row.subject, "withdrawn")
    page = change.session.get(VisitLink, row.subject)
    if page is not None and page.state == "open":
        page.state = "withdrawn"
        close_invitations(change, links, [page.id], "withdrawn")


def _take_card(change: Change, links: LinkStore, row: LedgerRow) -> None:
    del links
    card = change.session.get(Card, row.subject)
    if card is not None:
        take_card(change, card.person_id, card.id)


def _revoke_pass(change: Change, links: LinkStore, row: LedgerRow) -> None:
    """Take a pass back; of one that the backup has not, doors hear for as long as it could hold."""
    del links
    pass_id = pass_of_subject(row.subject)
    found = change.session.get(Pass, pass_id)
    if found is None:
        ends = row.at + LONGEST_ALONE_S
        change.session.add(
            Pass(id=pass_id, begins=row.at, ends=ends, revoked_at=row.at, alone=True)
        )
    elif not found.revoked_at:
        found.revoked_at = row.at
        if found.person_id is not None:
            change.touch(found.person_id)
    change.session.flush()
    change.reconfigure()


def _shut_account(change: Change, links: LinkStore, row: LedgerRow) -> None:
    del links
    if not shut_again(change, row.subject, removed=row.kind == "account-removed"):
        _log.critical("staff=%s closed=no reason=last-administrator", row.subject)


def _revoke_token(change: Change, links: LinkStore, row: LedgerRow) -> None:
    del links
    token = change.session.get(ApiToken, row.subject)
    if token is not None and not token.revoked_at:
        revoke_token(change, "", row.subject)


def _retire_key(change: Change, links: LinkStore, row: LedgerRow) -> None:
    del links
    retire_again(change, row.subject, row.at)


def _close(change: Change, links: LinkStore, invitation: str, state: Closing) -> None:
    row = change.session.get(Invitation, invitation)
    if row is not None and row.state == "open":
        row.state = state
        close_invitations(change, links, known_to_cloud([row]), state)


_KINDS: Final[Mapping[str, Undo]] = {
    "person-erased": _erase_person,
    "face-erased": _erase_face,
    "door-revoked": _revoke_door,
    "invitation-used": _use_invitation,
    "link-withdrawn": _withdraw_link,
    "card-taken": _take_card,
    "pass-revoked": _revoke_pass,
    "account-closed": _shut_account,
    "account-removed": _shut_account,
    "token-revoked": _revoke_token,
    "key-retired": _retire_key,
}
