"""Uploading envelopes, asking for their state, and uploads of clients that cannot seal."""

from collections.abc import AsyncIterator
from typing import Any, Final, cast

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from enrollment_cloud.clock import unix_now
from enrollment_cloud.communities.profiles import find_profile
from enrollment_cloud.context import Cloud, CloudDependency, spend_read, spend_upload
from enrollment_cloud.enrollment import unsealed
from enrollment_cloud.enrollment.deposits import EnvelopeState
from enrollment_cloud.enrollment.uploads import FORM_TYPE, read_form, read_sealed
from enrollment_cloud.invitations.service import STANDING, find_open_invitation
from tier_kit.forms.bodies import BOX_TYPE
from tier_kit.forms.errors import Malformed, NotFound
from tier_kit.forms.identifiers import community_id, hex_id, key_id
from tier_kit.forms.views import EnvelopeView, ReplyView, Taken
from tier_link.base64url import encode_base64url
from tier_link.invitations import InvitationKind
from tier_link.relay_messages import EnvelopeDeposited
from tier_link.sealing import SUITE_NAME

router = APIRouter(tags=["enrollment"])

_BINARY: Final[dict[str, str]] = {"type": "string", "format": "binary"}
_SEALED_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {BOX_TYPE: {"schema": _BINARY}}}
}
_FORM_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["fragment", "language", "consents"],
                    "properties": {
                        name: _BINARY if name.startswith("photo-") else {"type": "string"}
                        for name in sorted(unsealed.FIELDS)
                    },
                }
            }
        },
    }
}


@router.put(
    "/communities/{community}/envelopes/{envelope}",
    status_code=202,
    dependencies=[Depends(spend_upload)],
    openapi_extra=_SEALED_BODY,
)
async def put_envelope(
    community: str,
    envelope: str,
    invitation: str,
    key: str,
    suite: str,
    request: Request,
    cloud: CloudDependency,
) -> Taken:
    """Take a sealed envelope for the community; repeating it changes nothing."""
    community_id(community)
    hex_id(envelope)
    hex_id(invitation)
    key_id(key)
    if suite != SUITE_NAME:
        raise Malformed("suite-unknown")
    now = unix_now()
    with cloud.shares.take(community):
        await run_in_threadpool(cloud.deposits.admit, community, invitation, envelope, now)
        sealed = await read_sealed(
            _body(request),
            content_type=request.headers.get("content-type"),
            content_length=request.headers.get("content-length"),
            budget=cloud.bodies,
        )
        deposited = EnvelopeDeposited(
            envelope=envelope,
            invitation=invitation,
            key=key,
            suite=suite,
            sealed_by="browser",
            received_at=now,
            sealed=sealed,
        )
        return await run_in_threadpool(_deposit, cloud, community, deposited, None)


@router.get("/communities/{community}/envelopes/{envelope}", dependencies=[Depends(spend_read)])
def read_envelope(community: str, envelope: str, cloud: CloudDependency) -> EnvelopeView:
    """Say whether the community has collected the envelope, and hand out its replies.

    404 `envelope-unknown` means: send it again.
    """
    found = cloud.deposits.find(community_id(community), hex_id(envelope), unix_now())
    return EnvelopeView(
        state=found.state,
        replies=[
            ReplyView(number=number, sealed=encode_base64url(sealed))
            for number, sealed in found.replies
        ],
    )


@router.post(
    "/communities/{community}/unsealed-enrollments",
    status_code=202,
    dependencies=[Depends(spend_upload)],
    openapi_extra=_FORM_BODY,
)
async def post_unsealed(community: str, request: Request, cloud: CloudDependency) -> Taken:
    """Seal an enrollment for a client that cannot, if the community allows it.

    It is refused before a byte of the body is read unless the community switched this on.
    """
    community_id(community)
    with cloud.shares.take(community):
        await run_in_threadpool(_refuse_unless_on, cloud, community)
        fields = await read_form(
            _body(request),
            content_type=request.headers.get("content-type"),
            content_length=request.headers.get("content-length"),
            budget=cloud.bodies,
        )
        return await run_in_threadpool(_seal_and_deposit, cloud, community, fields)


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise Malformed("request-malformed") from None  # nobody is left to read the answer


def _deposit(
    cloud: Cloud, community: str, sealed: EnvelopeDeposited, digest: bytes | None
) -> Taken:
    state: EnvelopeState = cloud.deposits.deposit(community, sealed, digest=digest)
    cloud.meters.envelopes.labels(sealed.sealed_by).inc()
    link = cloud.hub.link(community)
    if link is not None:
        link.wake()
    return Taken(envelope=sealed.envelope, state=state.state, expires_at=state.expires_at)


def _refuse_unless_on(cloud: Cloud, community: str) -> None:
    with cloud.database.read() as session:
        unsealed.refuse_unless_on(find_profile(session, community))


def _seal_and_deposit(cloud: Cloud, community: str, fields: dict[str, bytes]) -> Taken:
    enrollment = unsealed.parse_form(fields)
    now = unix_now()
    with cloud.database.read() as session:
        profile = find_profile(session, community)
        unsealed.refuse_unless_on(profile)
        row = find_open_invitation(session, community, enrollment.invitation.id, now)
        if row.kind in STANDING:
            raise NotFound("invitation-unknown")
    sealed = unsealed.seal_for_client(
        enrollment,
        community=community,
        kind=cast("InvitationKind", row.kind),
        profile=profile,
        now=now,
    )
    return _deposit(cloud, community, sealed, enrollment.digest)
