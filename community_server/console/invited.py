"""A fresh invitation as the desk sees it, once."""

from dataclasses import dataclass, field

from community_server.console.qr_code import draw_qr_code
from community_server.estate import Estate
from community_server.invitations.routes import InvitationRequest, perform, perform_again
from community_server.invitations.service import Invited


@dataclass(frozen=True)
class ShownInvitation:
    """For whom, the link, its QR code as SVG, and until when it can be used."""

    name: str
    link: str = field(repr=False)
    qr_code: str = field(repr=False)
    expires_at: int


def invite(estate: Estate, wanted: InvitationRequest, staff: str) -> ShownInvitation:
    """Invite somebody; what it refuses is what `invitations.service.invite` refuses."""
    return _shown(perform(estate, wanted, staff), wanted.name.strip())


def invite_again(estate: Estate, person: str, staff: str) -> ShownInvitation:
    """Invite somebody anew; refuses what `invitations.service.invite_again` refuses."""
    return _shown(perform_again(estate, person, staff), estate.name_of(person))


def _shown(invited: Invited, name: str) -> ShownInvitation:
    return ShownInvitation(
        name=name,
        link=invited.link,
        qr_code=draw_qr_code(invited.link),
        expires_at=invited.expires_at,
    )
