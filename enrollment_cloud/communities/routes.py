"""`GET /api/v1/communities/{community}`: what a form needs to know before it asks anything."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from enrollment_cloud.communities.profiles import find_profile, takes_unsealed_uploads
from enrollment_cloud.context import CloudDependency, spend_read
from enrollment_cloud.identifiers import community_id
from tier_link.base64url import encode_base64url
from tier_link.certificates import carry_certificate

router = APIRouter(tags=["communities"])


class CertificateView(BaseModel):
    """A certificate's JSON and the root's signature, both base64url without padding."""

    certificate: str
    signature: str


class ConsentView(BaseModel):
    """One consent in one language; the SHA-256 over `text` in UTF-8 goes into the enrollment."""

    id: str
    version: str
    language: str
    required: bool
    title: str
    text: str


class CommunityView(BaseModel):
    """What a community has published. `root_public` is base64url of 32 bytes (Ed25519)."""

    community: str
    name: str
    root_public: str
    certificates: list[CertificateView]
    consents: list[ConsentView]
    unsealed_uploads: bool
    languages: list[str]


@router.get("/communities/{community}", dependencies=[Depends(spend_read)])
def read_community(community: str, cloud: CloudDependency) -> CommunityView:
    """Return what the community published last."""
    with cloud.database.read() as session:
        profile = find_profile(session, community_id(community))
    carried = [carry_certificate(one.certificate, one.signature) for one in profile.certificates]
    return CommunityView(
        community=community,
        name=profile.name,
        root_public=encode_base64url(profile.root_public),
        certificates=[
            CertificateView(certificate=one.certificate, signature=one.signature) for one in carried
        ],
        consents=[
            ConsentView(
                id=text.id,
                version=text.version,
                language=text.language,
                required=text.required,
                title=text.title,
                text=text.text,
            )
            for text in profile.consents
        ],
        unsealed_uploads=takes_unsealed_uploads(profile),
        languages=list(profile.languages),
    )
