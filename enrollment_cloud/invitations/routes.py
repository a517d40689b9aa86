"""`GET …/invitations/{invitation}`: may this link still be used?"""

from typing import cast

from fastapi import APIRouter, Depends

from enrollment_cloud.clock import unix_now
from enrollment_cloud.communities.profiles import require_published
from enrollment_cloud.context import CloudDependency, spend_read
from enrollment_cloud.invitations.service import find_open_invitation
from tier_kit.forms.identifiers import community_id, hex_id
from tier_kit.forms.views import InvitationView
from tier_link.invitations import LinkKind

router = APIRouter(tags=["invitations"])


@router.get("/communities/{community}/invitations/{invitation}", dependencies=[Depends(spend_read)])
def read_invitation(community: str, invitation: str, cloud: CloudDependency) -> InvitationView:
    """Say whether the invitation with this derived id is open."""
    with cloud.database.read() as session:
        require_published(session, community_id(community))
        row = find_open_invitation(session, community, hex_id(invitation), unix_now())
    return InvitationView(kind=cast("LinkKind", row.kind), expires_at=row.expires_at)
