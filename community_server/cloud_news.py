"""What the cloud is told of its own accord: the form's profile and which invitations are open."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.heads import newest_head
from community_server.change import CLOUD, Change
from community_server.database import now
from community_server.intake.consents import load_consents
from community_server.invitations.tables import Invitation
from community_server.keys.certified import published_certificates
from community_server.keys.root import root_key
from community_server.setup.community import get_community
from community_server.vault.safe import Safe
from community_server.visits.tables import VisitLink
from tier_link.certificates import root_public_bytes
from tier_link.invitations import InvitationKind, LinkKind
from tier_link.relay_messages import (
    INVITATIONS_PER_MESSAGE,
    RELAY,
    AuditHeadSigned,
    Closing,
    ConsentText,
    InvitationsPublished,
    InvitationsWithdrawn,
    ProfilePublished,
    PublishedInvitation,
    RelayMessage,
)
from tier_link.store import LinkStore

STANDING_LINK_S: Final = 10 * 365 * 24 * 3600
"""Seconds after which the cloud forgets a page's or poster's link that nobody has withdrawn."""


def publish_profile(change: Change, links: LinkStore, *, unsealed_uploads: bool) -> None:
    """Tell the cloud everything that the public form shows and uses."""
    consents = load_consents(unsealed_uploads=unsealed_uploads).texts
    profile = make_profile(change.session, change.safe, consents, unsealed_uploads=unsealed_uploads)
    _put(change, links, profile)


def make_profile(
    session: Session, safe: Safe, consents: tuple[ConsentText, ...], *, unsealed_uploads: bool
) -> ProfilePublished:
    """Return everything that a public form shows and uses, whoever serves it.

    Raises:
        NotSetUp: set-up has not been done.
    """
    return ProfilePublished(
        name=get_community(session).name,
        root_public=root_public_bytes(root_key(session, safe)),
        certificates=published_certificates(session, now()),
        consents=consents,
        unsealed_uploads=unsealed_uploads,
        languages=("zh-CN", "en"),
    )


def publish_everything(change: Change, links: LinkStore, *, unsealed_uploads: bool) -> None:
    """Tell a cloud that is new to us, or may know other things than we do now, all that holds."""
    if get_community(change.session).cloud_key is not None:
        publish_profile(change, links, unsealed_uploads=unsealed_uploads)
        publish_open_invitations(change, links)
        publish_audit_head(change, links)


def publish_invitations(change: Change, links: LinkStore, rows: Sequence[Invitation]) -> None:
    """Tell the cloud that these invitations are open."""
    publish_links(
        change,
        links,
        [PublishedInvitation(row.id, _kind(row.kind), row.expires_at) for row in rows],
    )


def publish_links(
    change: Change, links: LinkStore, published: Sequence[PublishedInvitation]
) -> None:
    """Tell the cloud that these links are open, of whatever kind."""
    for start in range(0, len(published), INVITATIONS_PER_MESSAGE):
        part = tuple(published[start : start + INVITATIONS_PER_MESSAGE])
        _put(change, links, InvitationsPublished(part))


def publish_open_invitations(change: Change, links: LinkStore) -> None:
    """Tell a cloud that is new to us about every open link: invitations, pages and posters."""
    rows = change.session.scalars(
        select(Invitation).where(
            Invitation.state == "open",
            Invitation.expires_at > now(),
            Invitation.origin == "cloud",
        )
    ).all()
    publish_invitations(change, links, rows)
    standing = change.session.scalars(select(VisitLink).where(VisitLink.state == "open"))
    publish_links(change, links, [published_link(row) for row in standing])


def published_link(row: VisitLink) -> PublishedInvitation:
    """Return a page's or poster's link as the cloud is told of it."""
    kind: LinkKind = "home" if row.kind == "home" else "poster"
    return PublishedInvitation(row.id, kind, row.created_at + STANDING_LINK_S)


def publish_audit_head(change: Change, links: LinkStore) -> None:
    """Give the cloud a copy of the audit log's newest signed head, if there is a cloud."""
    newest = newest_head(change.session)
    if newest is not None and get_community(change.session).cloud_key is not None:
        message = AuditHeadSigned(newest.count, newest.head, newest.signed_at, newest.signature)
        _put(change, links, message)


def close_invitations(change: Change, links: LinkStore, ids: Sequence[str], why: Closing) -> None:
    """Tell the cloud that these invitations are used up or called back."""
    for start in range(0, len(ids), INVITATIONS_PER_MESSAGE):
        part = tuple(ids[start : start + INVITATIONS_PER_MESSAGE])
        _put(change, links, InvitationsWithdrawn(part, why))


def _put(change: Change, links: LinkStore, message: RelayMessage) -> None:
    links.put(change.session, CLOUD, RELAY.kind(message), RELAY.encode(message))
    change.wake(CLOUD)


def _kind(kind: str) -> InvitationKind:
    return "visitor" if kind == "visitor" else "resident"
