"""Accepted WebSockets, straight from an ASGI server: no web framework is needed for links.

Events: https://asgi.readthedocs.io/en/latest/specs/www.html#websocket
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from tier_link.errors import SocketClosed

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]


class AsgiSocket:
    """A WebSocket that an ASGI server hands over, as `MessageSocket` once it is accepted."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._open = False

    async def accept(self) -> None:
        """Complete the handshake. Raises `SocketClosed`."""
        await self._receive()  # `websocket.connect`, before anything else
        await self._deliver({"type": "websocket.accept"})
        self._open = True

    async def refuse(self) -> None:
        """Answer the handshake with HTTP status 403 instead. Raises `SocketClosed`."""
        await self._receive()
        await self._deliver({"type": "websocket.close"})

    async def send(self, data: bytes) -> None:
        """Send one binary message; wait while the line is full. Raises `SocketClosed`."""
        if not self._open:
            raise SocketClosed
        await self._deliver({"type": "websocket.send", "bytes": data})

    async def recv(self) -> bytes:
        """Return the next message, an empty one for text. Raises `SocketClosed`."""
        if not self._open:
            raise SocketClosed
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            self._open = False
            raise SocketClosed(event.get("code", 1006), event.get("reason") or "")
        data: bytes | None = event.get("bytes")
        return data or b""

    async def close(self, code: int, reason: str) -> None:
        """Close; does nothing when closed already."""
        if not self._open:
            return
        self._open = False
        try:
            await self._deliver({"type": "websocket.close", "code": code, "reason": reason})
        except SocketClosed:
            return  # the other side was faster

    async def _deliver(self, event: Event) -> None:
        try:
            await self._send(event)
        except (OSError, RuntimeError) as error:
            # OSError: the other side is gone. RuntimeError: a close has been sent meanwhile.
            self._open = False
            raise SocketClosed from error


@dataclass(frozen=True)
class SocketEndpoint:
    """An ASGI application for one path: `serve` accepts or refuses, then carries the socket."""

    serve: Callable[[Scope, AsgiSocket], Awaitable[None]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket (ASGI 3.0)."""
        try:
            await self.serve(scope, AsgiSocket(receive, send))
        except SocketClosed:
            return  # who dialed went away during the handshake
