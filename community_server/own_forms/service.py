"""What the forms ask of this server: its profile, whether a link is open, taking an envelope in."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from community_server.cloud_news import make_profile
from community_server.estate import Estate
from community_server.intake.consents import load_consents
from community_server.intake.tables import Enrollment, KeptReply
from community_server.invitations.tables import Invitation
from community_server.setup.community import find_community
from community_server.vault.safe import Safe
from tier_kit.forms.errors import Gone, Malformed, NotFound, TooMany
from tier_kit.forms.limits import MAX_ENVELOPES_PER_INVITATION_AND_DAY, REPLY_LIFETIME
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


def find_open_invitation(
    session: Session, community: str, invitation: str, moment: int
) -> Invitation:
    """Return an invitation that may be used now, wherever else its link opens.

    Raises:
        NotFound: `community-unknown`, `invitation-unknown`.
        Gone: `invitation-used`, `invitation-withdrawn`, `invitation-expired`.
    """
    require_community(session, community)
    row = session.get(Invitation, invitation)
    if row is None:
        raise NotFound("invitation-unknown")
    if row.state != "open":
        used = row.state == "used"
        raise Gone("invitation-used") if used else Gone("invitation-withdrawn")
    if row.expires_at <= moment:
        raise Gone("invitation-expired")
    return row


def admit(session: Session, community: str, invitation: str, envelope: str, moment: int) -> None:
    """Refuse what would be refused anyway, before its body is read.

    Raises:
        FormRefused: as `find_open_invitation`; `invitation-exhausted`.
    """
    require_community(session, community)
    if session.get(Enrollment, envelope) is not None:
        return  # sent once more: the answer is repeated
    row = find_open_invitation(session, community, invitation, moment)
    today = session.scalar(
        select(func.count()).where(
            Enrollment.person_id == row.person_id, Enrollment.received_at > moment - _DAY
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
    look = intake.look_at(changer.engine, changer.safe, deposit, over_cloud=False)
    with changer.change() as change:
        answered = intake.take_in(change, deposit, look, over_cloud=False)
    if not answered:
        raise Malformed("envelope-unreadable")


def find_replies(
    session: Session, community: str, envelope: str, moment: int
) -> Sequence[KeptReply]:
    """Return the sealed replies to an envelope, by number.

    Raises:
        NotFound: `community-unknown`; `envelope-unknown`, it never came here or its replies are
            gone.
    """
    require_community(session, community)
    replies = session.scalars(
        select(KeptReply)
        .where(KeptReply.enrollment_id == envelope, KeptReply.stored_at > moment - KEPT_SECONDS)
        .order_by(KeptReply.number)
    ).all()
    if not replies:
        raise NotFound("envelope-unknown")
    return replies


def forget_replies(session: Session, moment: int) -> int:
    """Delete replies that nobody may ask for any more; return how many."""
    result = session.execute(delete(KeptReply).where(KeptReply.stored_at <= moment - KEPT_SECONDS))
    assert isinstance(result, CursorResult)  # noqa: S101 -- as every statement's that returns no rows
    return result.rowcount
