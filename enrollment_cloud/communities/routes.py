"""`GET /api/v1/communities/{community}`: what a form needs to know before it asks anything."""

from fastapi import APIRouter, Depends

from enrollment_cloud.communities.profiles import find_profile, takes_unsealed_uploads
from enrollment_cloud.context import CloudDependency, spend_read
from tier_kit.forms.identifiers import community_id
from tier_kit.forms.views import CommunityView
from tier_link.public_profile import describe_profile

router = APIRouter(tags=["communities"])


@router.get("/communities/{community}", dependencies=[Depends(spend_read)])
def read_community(community: str, cloud: CloudDependency) -> CommunityView:
    """Return what the community published last."""
    with cloud.database.read() as session:
        profile = find_profile(session, community_id(community))
    unsealed = takes_unsealed_uploads(profile)
    return CommunityView.model_validate(describe_profile(community, profile, unsealed=unsealed))
