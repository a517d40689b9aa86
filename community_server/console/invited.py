"""A fresh invitation as the desk sees it, once."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from community_server.console.frame import Text
from community_server.console.qr_code import draw_qr_code
from community_server.desk import own_address
from community_server.estate import Estate
from community_server.invitations.routes import InvitationRequest, Opens, perform, perform_again
from community_server.invitations.service import Invited


@dataclass(frozen=True)
class ShownInvitation:
    """For whom, the link, its QR code as SVG, until when it can be used, and where it opens."""

    name: str = field(repr=False)
    link: str = field(repr=False)
    qr_code: str = field(repr=False)
    expires_at: int
    origin: Opens


def get_origin(origin: Text = "") -> Opens:
    """Return where a form says that the link shall open."""
    return "estate" if origin == "estate" else "cloud"


OriginDep = Annotated[Opens, Depends(get_origin)]


def invite(
    request: Request, estate: Estate, wanted: InvitationRequest, staff: str
) -> ShownInvitation:
    """Invite somebody; what it refuses is what `invitations.service.invite` refuses."""
    invited = perform(estate, wanted, staff, own_address(request))
    return _shown(invited, wanted.name.strip(), wanted.origin)


def invite_again(
    request: Request, estate: Estate, person: str, staff: str, origin: Opens
) -> ShownInvitation:
    """Invite somebody anew; refuses what `invitations.service.invite_again` refuses."""
    invited = perform_again(estate, person, staff, origin, own_address(request))
    return _shown(invited, estate.name_of(person), origin)


def _shown(invited: Invited, name: str, origin: Opens) -> ShownInvitation:
    return ShownInvitation(
        origin=origin,
        name=name,
        link=invited.link,
        qr_code=draw_qr_code(invited.link),
        expires_at=invited.expires_at,
    )
