"""The forms' interface, as `docs/api-cloud.md` has it: open to anybody, protected by the link.

Nothing here reads a cookie or knows who is signed in, so another site's page gains nothing by
calling it; a write from one is refused all the same.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from community_server.database import now
from community_server.desk import check_origin
from community_server.estate import Estate
from community_server.own_forms.access import Reading, Uploading
from community_server.own_forms.service import (
    KEPT_SECONDS,
    admit,
    find_open_link,
    find_profile,
    find_replies,
    take_in,
)
from tier_kit.forms.bodies import BOX_TYPE, read_box
from tier_kit.forms.errors import Malformed
from tier_kit.forms.identifiers import community_id, hex_id, key_id
from tier_kit.forms.views import (
    CommunityView,
    EnvelopeView,
    InvitationView,
    ReplyView,
    Taken,
)
from tier_link.base64url import encode_base64url
from tier_link.public_profile import describe_profile
from tier_link.relay_messages import MAX_SEALED, EnvelopeDeposited
from tier_link.sealing import SUITE_NAME, is_sealed_size

router = APIRouter(prefix="/api/v1/communities/{community}", tags=["forms"])

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {BOX_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("")
def read_community(community: str, estate: Reading) -> CommunityView:
    """Return what the forms show and use."""
    with estate.reading() as session:
        profile = find_profile(session, estate.safe, community_id(community))
    return CommunityView.model_validate(describe_profile(community, profile, unsealed=False))


@router.get("/invitations/{invitation}")
def read_invitation(community: str, invitation: str, estate: Reading) -> InvitationView:
    """Say whether the invitation with this derived id is open."""
    with estate.reading() as session:
        link = find_open_link(session, community_id(community), hex_id(invitation), now())
    return InvitationView(kind=link.kind, expires_at=link.expires_at)


@router.put("/envelopes/{envelope}", status_code=202, openapi_extra=_BODY)
async def put_envelope(
    community: str,
    envelope: str,
    request: Request,
    estate: Uploading,
    invitation: str = "",
    key: str = "",
    suite: str = "",
) -> Taken:
    """Take a sealed envelope, and answer once it has taken effect; repeating it changes nothing."""
    check_origin(request)
    community_id(community)
    hex_id(envelope)
    hex_id(invitation)
    key_id(key)
    if suite != SUITE_NAME:
        raise Malformed("suite-unknown")
    moment = now()
    await run_in_threadpool(_admit, estate, community, invitation, envelope, moment)
    sealed = await _read_body(request, estate)
    deposit = EnvelopeDeposited(
        envelope=envelope,
        invitation=invitation,
        key=key,
        suite=suite,
        sealed_by="browser",
        received_at=moment,
        sealed=sealed,
    )
    async with estate.form_limits.line.turn():
        await run_in_threadpool(take_in, estate, deposit)
    return Taken(envelope=envelope, state="collected", expires_at=moment + KEPT_SECONDS)


@router.get("/envelopes/{envelope}")
def read_envelope(community: str, envelope: str, estate: Reading) -> EnvelopeView:
    """Hand out an envelope's replies, sealed to whoever wrote it.

    404 `envelope-unknown` means: send it again.
    """
    with estate.reading() as session:
        replies = find_replies(session, community_id(community), hex_id(envelope), now())
    return EnvelopeView(
        state="collected",
        replies=[
            ReplyView(number=reply.number, sealed=encode_base64url(reply.sealed))
            for reply in replies
        ],
    )


def _admit(estate: Estate, community: str, invitation: str, envelope: str, moment: int) -> None:
    with estate.reading() as session:
        admit(session, community, invitation, envelope, moment)


async def _read_body(request: Request, estate: Estate) -> bytes:
    try:
        return await read_box(
            request.stream(),
            content_type=request.headers.get("content-type"),
            content_length=request.headers.get("content-length"),
            budget=estate.form_limits.bodies,
            most=MAX_SEALED,
            fits=is_sealed_size,
        )
    except ClientDisconnect:
        raise Malformed("request-malformed") from None  # nobody is left to read the answer
