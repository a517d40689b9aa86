"""What every test double needs to speak the real link."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from sqlalchemy.orm import Session
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tier_link.channel import LiveLink
from tier_link.errors import RequestRefused, SocketClosed

T = TypeVar("T")


class OwnLoop:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def stop(self) -> None:
        async def end() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


class AcceptedSocket:
    """The `websockets` server's connection as a `MessageSocket`."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def send(self, data: bytes) -> None:
        try:
            await self._connection.send(data)
        except ConnectionClosed as closed:
            raise SocketClosed from closed

    async def recv(self) -> bytes:
        try:
            message = await self._connection.recv()
        except ConnectionClosed as closed:
            raise SocketClosed from closed
        return message if isinstance(message, bytes) else b""

    async def close(self, code: int, reason: str) -> None:
        await self._connection.close(code, reason)


class IdleHandler:
    """A `LinkHandler` that takes everything and does nothing; doubles override what they need."""

    def prepare(self, peer: str, kind: str, body: bytes) -> None:
        """Need no time."""

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Let the record have no effect."""

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        del peer, kind, body, deadline
        raise RequestRefused("nothing")

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        """Look away."""

    def acknowledged(self, session: Session, peer: str, sequences: Sequence[int]) -> None:
        """Need nothing more."""

    def link_up(self, peer: str, link: LiveLink) -> None:
        """Let it be up."""

    def link_down(self, peer: str) -> None:
        """Let it be down."""

    def outdated(self, peer: str) -> None:
        """Nothing follows from that."""
