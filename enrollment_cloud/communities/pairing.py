"""`/pair`: a community's server proves a code and leaves its link key."""

import time

from fastapi import APIRouter
from starlette.routing import WebSocketRoute

from enrollment_cloud.clock import unix_now
from enrollment_cloud.communities.service import CLOUD_NODE, find_community, pair_community
from enrollment_cloud.sockets import admit, cloud_of
from tier_kit.forms.errors import FormRefused
from tier_link.channel import AsgiSocket, Scope, SocketEndpoint, accept_pairing
from tier_link.errors import PairingRefused
from tier_link.pairing import PairingConfiguration, PairStart
from tier_link.store.codes import OpenCode


async def serve_pairing(scope: Scope, socket: AsgiSocket) -> None:
    """Carry one attempt at pairing."""
    cloud = cloud_of(scope)
    if not await admit(scope, socket, cloud.pairings, time.monotonic()):
        return

    def configure(code: OpenCode, start: PairStart) -> PairingConfiguration:
        del start
        return PairingConfiguration(community=code.subject, node=code.subject, peer=CLOUD_NODE)

    def complete(code: OpenCode, start: PairStart) -> None:
        with cloud.database.write.begin() as session:
            cloud.codes.spend(session, code)
            try:
                find_community(session, code.subject)
            except FormRefused as error:
                raise PairingRefused("revoked", code="pairing-code-unknown") from error
            # A server that pairs anew may be a new one: what waits is sealed to the old one's
            # keys. The browsers send again.
            cloud.relay.forget(session, code.subject)
            pair_community(session, code.subject, start.public_key, unix_now())

    await accept_pairing(socket, cloud.identity, cloud.codes, configure, complete)


router = APIRouter(routes=[WebSocketRoute("/pair", SocketEndpoint(serve_pairing))])
