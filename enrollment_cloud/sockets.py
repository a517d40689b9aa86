"""Starlette's WebSockets as links see them."""

from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from enrollment_cloud.errors import TooMany
from enrollment_cloud.limits import RateLimit
from tier_link.errors import SocketClosed


async def admit(websocket: WebSocket, limit: RateLimit, now: float) -> bool:
    """Accept a WebSocket unless its address has opened too many; then refuse with 403."""
    try:
        limit.spend(websocket.client.host if websocket.client else "", now)
    except TooMany:
        await websocket.close()
        return False
    await websocket.accept()
    return True


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
        """Return the next message, an empty one for text: links speak in bytes."""
        if self.websocket.client_state is not WebSocketState.CONNECTED:
            raise SocketClosed
        message = await self.websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise SocketClosed(message.get("code", 1006), message.get("reason") or "")
        data: bytes | None = message.get("bytes")
        return data or b""

    async def close(self, code: int, reason: str) -> None:
        """Close; closing twice is fine."""
        if self.websocket.application_state is WebSocketState.CONNECTED:
            try:
                await self.websocket.close(code, reason)
            except (WebSocketDisconnect, RuntimeError):
                return  # the other side was faster
