"""What the forms ask of this server: its profile, whether a link is open, taking an envelope in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from community_server.cloud_news import make_profile, published_link
from community_server.estate import Estate
from community_server.intake.consents import load_consents
from community_server.intake.tables import Enrollment, KeptReply
from community_server.invitations.tables import Invitation
from community_server.setup.community import find_community
from community_server.vault.safe import Safe
from community_server.visits.intake import is_for_visits
from community_server.visits.intake import take as take_visit
from community_server.visits.tables import VisitLink, VisitRequest
from tier_kit.forms.errors import Gone, Malformed, NotFound, TooMany
from tier_kit.forms.limits import MAX_ENVELOPES_PER_INVITATION_AND_DAY, REPLY_LIFETIME
from tier_link.invitations import LinkKind
from tier_link.relay_messages import EnvelopeDeposited, ProfilePublished

KEPT_SECONDS: Final = int(REPLY_LIFETIME.total_seconds())
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR


def require_community(session: Session, community: str) -> str:
    """Check that this is the community here; return its name.

    Raises:
        NotFound: it is not, or none was set up yet (`community-unknown`).
    """
    row = find_community(session)
    if row is None or row.slug != community:
        raise NotFound("community-unknown")
    return row.name


def find_profile(session: Session, safe: Safe, community: str) -> ProfilePublished:
    """Return what the forms show and use here: as at the cloud, and nothing about the internet.

    Raises:
        NotFound: `community-unknown`.
    """
    require_community(session, community)
    consents = load_consents(unsealed_uploads=False).at_home
    return make_profile(session, safe, consents, unsealed_uploads=False)


@dataclass(frozen=True)
class OpenLink:
    """A link that may be used now, until when, and whose doing it counts as."""

    kind: LinkKind
    expires_at: int
    person: str | None


@dataclass(frozen=True)
class SealedReply:
    """One reply, sealed to whoever wrote the envelope."""

    number: int
    sealed: bytes


def find_open_link(session: Session, community: str, invitation: str, moment: int) -> OpenLink:
    """Return a link that may be used now, wherever else it opens.

    Raises:
        NotFound: `community-unknown`, `invitation-unknown`.
        Gone: `invitation-used`, `invitation-withdrawn`, `invitation-expired`.
    """
    require_community(session, community)
    standing = session.get(VisitLink, invitation)
    if standing is not None:
        if standing.state != "open":
            raise Gone("invitation-withdrawn")
        published = published_link(standing)
        return OpenLink(published.kind, published.expires_at, None)
    row = session.get(Invitation, invitation)
    if row is None:
        raise NotFound("invitation-unknown")
    if row.state != "open":
        used = row.state == "used"
        raise Gone("invitation-used") if used else Gone("invitation-withdrawn")
    if row.expires_at <= moment:
        raise Gone("invitation-expired")
    return OpenLink(
        "visitor" if row.kind == "visitor" else "resident", row.expires_at, row.person_id
    )


def admit(session: Session, community: str, invitation: str, envelope: str, moment: int) -> None:
    """Refuse what would be refused anyway, before its body is read.

    Raises:
        FormRefused: as `find_open_link`; `invitation-exhausted`.
    """
    require_community(session, community)
    known = session.get(Enrollment, envelope) or session.get(VisitRequest, envelope)
    if known is not None:
        return  # sent once more: the answer is repeated
    link = find_open_link(session, community, invitation, moment)
    if link.person is None:
        return  # whoever holds a home's or a poster's link is counted where it takes effect
    today = session.scalar(
        select(func.count()).where(
            Enrollment.person_id == link.person, Enrollment.received_at > moment - _DAY
        )
    )
    if (today or 0) >= MAX_ENVELOPES_PER_INVITATION_AND_DAY:
        raise TooMany("invitation-exhausted", retry_after=_HOUR)


def take_in(estate: Estate, deposit: EnvelopeDeposited) -> None:
    """Look at an envelope's photos, then let it take effect in one transaction.

    Raises:
        Malformed: its writer has not shown that they hold an invitation, or the key that it is
            sealed to is gone (`envelope-unreadable`).
    """
    intake, changer = estate.intake, estate.changer
    # One for visits holds no photo, and does not open as an enrollment.
    look = intake.look_at(changer.engine, changer.safe, deposit, over_cloud=False)
    with changer.change() as change:
        if is_for_visits(change.session, deposit):
            answered = take_visit(change, estate.visiting, deposit, over_cloud=False)
        else:
            answered = intake.take_in(change, deposit, look, over_cloud=False)
    if not answered:
        raise Malformed("envelope-unreadable")


def find_replies(
    session: Session, community: str, envelope: str, moment: int
) -> Sequence[SealedReply]:
    """Return the sealed replies to an envelope, by number; of one about visits the newest alone.

    Raises:
        NotFound: `community-unknown`; `envelope-unknown`, it never came here or its replies are
            gone.
    """
    require_community(session, community)
    request = session.get(VisitRequest, envelope)
    if request is not None and request.origin == "estate" and request.last_answer is not None:
        return [SealedReply(request.answers, request.last_answer)]
    replies = session.scalars(
        select(KeptReply)
        .where(KeptReply.enrollment_id == envelope, KeptReply.stored_at > moment - KEPT_SECONDS)
        .order_by(KeptReply.number)
    ).all()
    if not replies:
        raise NotFound("envelope-unknown")
    return [SealedReply(reply.number, reply.sealed) for reply in replies]


def forget_replies(session: Session, moment: int) -> int:
    """Delete replies that nobody may ask for any more; return how many."""
    result = session.execute(delete(KeptReply).where(KeptReply.stored_at <= moment - KEPT_SECONDS))
    assert isinstance(result, CursorResult)  # noqa: S101 -- as every statement's that returns no rows
    return result.rowcount
