"""The face of a link that is up, for the rest of the tier."""

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable
from typing import Protocol

from tier_link.errors import LinkDown
from tier_link.protocol import check_body


class Carrier(Protocol):
    """What carries a link; all of it is called on the event loop."""

    async def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        """Ask and wait."""
        ...

    def publish(self, kind: str, body: bytes) -> None:
        """Send a latest value."""
        ...

    def wake(self) -> None:
        """Look into the outbox."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End the link."""
        ...


class LiveLink:
    """A link to one peer. Thread-safe. Once the link is down it stays down: get the next one."""

    def __init__(self, peer: str, carrier: Carrier, loop: asyncio.AbstractEventLoop) -> None:
        self.peer = peer
        self._carrier = carrier
        self._loop = loop

    def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        """Ask the peer from a worker thread; wait at most `deadline` seconds (up to 60).

        Raises:
            RequestFailed: the peer refused, or `busy`.
            DeadlinePassed: no answer in time; whether the peer acted on it is unknown.
            LinkDown: there is no link; the request was not kept and is never sent later.
            ValueError: the body does not fit one frame.
            RuntimeError: called on the event loop, where `request_async` belongs.
        """
        if _running_loop() is self._loop:
            raise RuntimeError("on the event loop, await request_async")
        asking = self._carrier.request(kind, body, deadline)
        try:
            return asyncio.run_coroutine_threadsafe(asking, self._loop).result()
        except (RuntimeError, concurrent.futures.CancelledError) as error:
            asking.close()  # the loop has stopped
            raise LinkDown("the link is gone") from error

    async def request_async(self, kind: str, body: bytes, deadline: float) -> bytes:
        """Ask the peer from the event loop; otherwise like `request`."""
        return await self._carrier.request(kind, body, deadline)

    def publish(self, kind: str, body: bytes) -> None:
        """Send a latest value, unless the link is down: then it is left out.

        Raises:
            ValueError: the body does not fit one frame.
        """
        check_body(body)
        self._soon(self._carrier.publish, kind, body)

    def wake(self) -> None:
        """Say that the outbox has news for this peer; otherwise it is seen within a second."""
        self._soon(self._carrier.wake)

    def close(self, code: int, reason: str) -> None:
        """End the link with a WebSocket close code."""
        self._soon(self._carrier.close, code, reason)

    def _soon(self, call: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has stopped, and the link with it
            self._loop.call_soon_threadsafe(call, *args)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
