"""A fresh invitation as the desk sees it, once."""

from dataclasses import dataclass, field

from community_server.console.qr_code import draw_qr_code
from community_server.estate import Estate
from community_server.invitations.routes import InvitationRequest, perform


@dataclass(frozen=True)
class ShownInvitation:
    """For whom, the link, its QR code as SVG, and until when it can be used."""

    name: str
    unit: str
    link: str = field(repr=False)
    qr_code: str = field(repr=False)
    expires_at: int


def invite(estate: Estate, wanted: InvitationRequest, staff: str) -> ShownInvitation:
    """Invite somebody; what it refuses is what `invitations.service.invite` refuses."""
    invited = perform(estate, wanted, staff)
    return ShownInvitation(
        name=wanted.name.strip(),
        unit=wanted.unit.strip(),
        link=invited.link,
        qr_code=draw_qr_code(invited.link),
        expires_at=invited.expires_at,
    )
