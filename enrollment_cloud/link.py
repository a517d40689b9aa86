"""The cloud's end of the communities' links: what their records do, and the sockets."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from enrollment_cloud.communities.profiles import publish_profile
from enrollment_cloud.context import unix_now
from enrollment_cloud.enrollment.deposits import Deposits, store_reply
from enrollment_cloud.invitations.service import publish_invitations, withdraw_invitations
from tier_link.channel import LiveLink
from tier_link.errors import RecordRefused, RequestRefused, SocketClosed
from tier_link.relay_messages import (
    RELAY,
    InvitationsPublished,
    InvitationsWithdrawn,
    ProfilePublished,
    ReplySealed,
)

_UNSUPPORTED_DATA = 1003
"""WebSocket close code of RFC 6455 for a kind of message that is not taken: text, here."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CommunityRecords:
    """A `tier_link.channel.LinkHandler`: what communities tell the cloud takes effect here."""

    deposits: Deposits

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Take one durable record into the caller's transaction.

        Raises:
            MalformedMessage: not a record of the relay's vocabulary.
            RecordRefused: one that a community does not send.
        """
        message = RELAY.decode(kind, body)
        match message:
            case ProfilePublished():
                publish_profile(session, peer, message)
            case InvitationsPublished():
                publish_invitations(session, peer, message.invitations)
            case InvitationsWithdrawn():
                withdraw_invitations(session, peer, message.ids, unix_now())
            case ReplySealed():
                if not store_reply(session, peer, message, unix_now()):
                    _log.info("event=reply-too-late community=%s", peer)
            case _:
                raise RecordRefused(f"a community does not send {kind}")

    def answer(self, peer: str, kind: str, body: bytes) -> bytes:
        """Refuse: communities ask the cloud nothing."""
        del peer, body
        raise RequestRefused(f"the cloud answers no {kind}", code="request-unknown")

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        """Ignore: communities send no latest values."""
        del body
        _log.info("event=latest-ignored community=%s kind=%s", peer, kind)

    def acknowledged(self, session: Session, peer: str, sequences: Sequence[int]) -> None:
        """The community has these envelopes durably; their bodies go in the same transaction."""
        self.deposits.collect(session, peer, sequences, unix_now())

    def link_up(self, peer: str, link: LiveLink) -> None:
        """Note a community's link."""
        del link
        _log.info("event=link-up community=%s", peer)

    def link_down(self, peer: str) -> None:
        """Note its end."""
        _log.info("event=link-down community=%s", peer)


@dataclass(frozen=True)
class StarletteSocket:
    """A `tier_link.channel.MessageSocket` over an accepted WebSocket."""

    websocket: WebSocket

    async def send(self, data: bytes) -> None:
        """Send one message."""
        try:
            await self.websocket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError) as error:
            # Starlette says RuntimeError when the other side has already closed.
            raise SocketClosed from error

    async def recv(self) -> bytes:
        """Return the next message."""
        if self.websocket.application_state is not WebSocketState.CONNECTED:
            raise SocketClosed
        message = await self.websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise SocketClosed(message.get("code", 1006), message.get("reason") or "")
        data: bytes | None = message.get("bytes")
        if data is None:
            await self.close(_UNSUPPORTED_DATA, "bytes only")
            raise SocketClosed(_UNSUPPORTED_DATA, "bytes only")
        return data

    async def close(self, code: int, reason: str) -> None:
        """Close; closing twice is fine."""
        if self.websocket.application_state is WebSocketState.CONNECTED:
            try:
                await self.websocket.close(code, reason)
            except (WebSocketDisconnect, RuntimeError):
                return  # the other side was faster
