"""Starlette's WebSocket as the links know sockets."""

from dataclasses import dataclass
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tier_link.errors import SocketClosed

UNSUPPORTED_DATA: Final = 1003
"""RFC 6455: a kind of message that is not taken."""


@dataclass(frozen=True)
class StarletteSocket:
    """A `tier_link.channel.MessageSocket` over an accepted WebSocket."""

    websocket: WebSocket

    async def send(self, data: bytes) -> None:
        """Send one message."""
        try:
            await self.websocket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError) as error:
            # Starlette raises RuntimeError once either side has closed.
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
            await self.close(UNSUPPORTED_DATA, "bytes only")
            raise SocketClosed(UNSUPPORTED_DATA, "bytes only")
        return data

    async def close(self, code: int, reason: str) -> None:
        """Close; closing twice is fine."""
        if self.websocket.application_state is WebSocketState.CONNECTED:
            try:
                await self.websocket.close(code, reason)
            except (WebSocketDisconnect, RuntimeError):
                return  # the other side was faster
