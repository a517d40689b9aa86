"""Inviting: a person, a link for them, and word to the cloud, in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from community_server.change import Change
from community_server.cloud_news import publish_invitations
from community_server.database import now
from community_server.errors import Conflict, InputRefused
from community_server.intake.opening import auth_context
from community_server.invitations.tables import Invitation
from community_server.keys.root import root_key
from community_server.people.particulars import Known, owner
from community_server.people.service import add_person
from community_server.setup.community import get_community
from tier_link.certificates import root_fingerprint, root_public_bytes
from tier_link.invitations import InvitationKind, invitation_link, new_invitation
from tier_link.store import LinkStore

DAY: Final = 24 * 3600
LONGEST_VISIT: Final = 90 * DAY
"""A visitor who comes for longer lives here."""
VISITORS_UNIT: Final = "0"
"""The unit that a visitor to nobody in particular enters with a PIN."""


@dataclass(frozen=True)
class Invited:
    """A fresh invitation; the link is shown once, here, and never kept."""

    invitation: str
    person: str
    link: str = field(repr=False)
    expires_at: int


def invite(
    change: Change,
    links: LinkStore,
    *,
    kind: InvitationKind,
    name: str,
    unit: str,
    valid_from: int,
    valid_until: int,
    doors: Collection[str],
    days: int,
) -> Invited:
    """Invite a resident or a visitor; the link can be used for `days` days.

    Raises:
        Conflict: `cloud-not-paired`, a link needs the cloud's address.
        InputRefused: `name-missing`, `unit-missing`, `window-missing`, `window-long`,
            `time-over`, `door-unknown`.
    """
    session, safe, moment = change.session, change.safe, now()
    community = get_community(session)
    if not community.cloud_url:
        raise Conflict("pair this server with a cloud first", code="cloud-not-paired")
    _check(kind, name, unit, valid_from or moment, valid_until)
    person = add_person(
        change,
        category=kind,
        unit=unit or VISITORS_UNIT,
        known=Known(name=name),
        valid_from=valid_from,
        valid_until=valid_until,
        doors=doors,
    )
    secret = new_invitation(root_fingerprint(root_public_bytes(root_key(session, safe))))
    expires_at = moment + days * DAY
    row = Invitation(
        id=secret.id,
        person_id=person.id,
        kind=kind,
        auth=safe.seal(session, owner(person.id), auth_context(secret.id), secret.auth),
        state="open",
        expires_at=min(expires_at, valid_until) if valid_until else expires_at,
        created_at=moment,
    )
    session.add(row)
    session.flush()
    publish_invitations(change, links, [row])
    link = invitation_link(community.cloud_url, community.slug, kind, secret)
    return Invited(row.id, person.id, link, row.expires_at)


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
