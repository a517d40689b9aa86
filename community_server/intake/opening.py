"""From a deposited envelope to an enrollment that its invitation vouches for.

Every step refuses with a code. Until the MAC is verified nobody is answered: whoever wrote
the envelope has not shown that they hold an invitation, and the relay must not be able to make
the server talk.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from community_server.errors import EnrollmentRefused
from community_server.intake.consents import Consents
from community_server.invitations.tables import Invitation
from community_server.keys.certified import KeyGone, envelope_key
from community_server.people.particulars import owner
from community_server.vault.safe import Safe
from tier_link.envelopes import Enrollment, parse_enrollment
from tier_link.errors import EnvelopeRefused, SealBroken
from tier_link.relay_messages import EnvelopeDeposited
from tier_link.replies import ReplyReason
from tier_link.sealing import SUITE_NAME, SealContext, open_sealed

PURPOSE: Final = "enrollment"


@dataclass(frozen=True)
class Opened:
    """An enrollment whose writer holds the invitation."""

    enrollment: Enrollment
    invitation: Invitation


def open_envelope(
    session: Session,
    safe: Safe,
    community: str,
    deposit: EnvelopeDeposited,
    now: int,
    *,
    lock: bool = True,
    over_cloud: bool = True,
) -> Opened:
    """Open an envelope and verify who wrote it; `lock` its invitation to use it up.

    Whoever has only the cloud's word for an invitation that the cloud never heard of
    (`over_cloud`) did not come by its link.

    Raises:
        EnrollmentRefused: `key-expired`, `forged`, `malformed`, `invitation-unknown`; nobody
            can be answered.
    """
    plaintext = open_box(session, safe, community, deposit, PURPOSE, now)
    try:
        enrollment = parse_enrollment(
            plaintext,
            community=community,
            envelope=deposit.envelope,
            key=deposit.key,
            sealed_by=deposit.sealed_by,
            suite=deposit.suite,
        )
    except EnvelopeRefused as error:
        raise EnrollmentRefused(str(error), code=error.reason) from error
    invitation = session.get(Invitation, deposit.invitation, with_for_update=lock)
    if invitation is None or (over_cloud and invitation.origin != "cloud"):
        raise EnrollmentRefused("no such invitation", code=ReplyReason.INVITATION_UNKNOWN)
    try:
        enrollment.verify_mac(open_auth(session, safe, invitation))
    except EnvelopeRefused as error:
        raise EnrollmentRefused(str(error), code=error.reason) from error
    return Opened(enrollment, invitation)


def open_box(
    session: Session,
    safe: Safe,
    community: str,
    deposit: EnvelopeDeposited,
    purpose: str,
    now: int,
) -> bytes:
    """Open a deposited envelope's seal, which has to be for this purpose.

    Raises:
        EnrollmentRefused: `key-expired`, `forged`, `malformed`; nobody can be answered.
    """
    if deposit.suite != SUITE_NAME:
        raise EnrollmentRefused("sealed with a suite we do not know", code=ReplyReason.MALFORMED)
    try:
        private = envelope_key(session, safe, deposit.key, now)
        context = SealContext(community, purpose, deposit.envelope, deposit.key)
        return open_sealed(private, deposit.sealed, context)
    except KeyGone as error:
        raise EnrollmentRefused(str(error), code=ReplyReason.KEY_EXPIRED) from error
    except SealBroken as error:
        raise EnrollmentRefused(str(error), code=ReplyReason.FORGED) from error


def check_opened(
    opened: Opened,
    consents: Consents,
    *,
    unsealed_uploads: bool,
    now: int,
    over_cloud: bool = True,
) -> None:
    """Check that the invitation can still be used and the consents fit; its holder is answered.

    Raises:
        EnrollmentRefused: `invitation-used`, `invitation-withdrawn`, `invitation-expired`,
            `consent-missing`, `consent-changed`, `malformed`.
    """
    enrollment, invitation = opened.enrollment, opened.invitation
    if invitation.state == "withdrawn":
        raise EnrollmentRefused("withdrawn", code=ReplyReason.INVITATION_WITHDRAWN)
    if invitation.state != "open":
        raise EnrollmentRefused("used", code=ReplyReason.INVITATION_USED)
    if invitation.expires_at <= now:
        raise EnrollmentRefused("expired", code=ReplyReason.INVITATION_EXPIRED)
    if enrollment.kind != invitation.kind:
        raise EnrollmentRefused("not this kind of invitation", code=ReplyReason.MALFORMED)
    unsealed = enrollment.sealed_by == "cloud"
    if unsealed and not unsealed_uploads:
        raise EnrollmentRefused("plain uploads are switched off", code=ReplyReason.MALFORMED)
    consents.check(
        enrollment.consents,
        with_photos=bool(enrollment.photos),
        unsealed=unsealed,
        over_cloud=over_cloud,
    )


def open_auth(session: Session, safe: Safe, invitation: Invitation) -> bytes:
    """Open an invitation's MAC key."""
    return safe.open(
        session, owner(invitation.person_id), auth_context(invitation.id), invitation.auth
    )


def auth_context(invitation: str) -> str:
    """Return what an invitation's sealed MAC key is bound to."""
    return f"invitation/{invitation}"
