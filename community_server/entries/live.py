"""Entries as they happen, to every open console."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

from community_server.entries.service import ShownEntry

BACKLOG: Final = 200
"""Entries kept for a console that reads slowly; then it misses some and its next poll heals it."""
HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment keeps proxies and browsers from giving up."""


class LiveEntries:
    """Hands entries from the links' threads to the consoles' streams."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: dict[asyncio.Queue[ShownEntry | None], asyncio.AbstractEventLoop] = {}
        self._closed = False

    def publish(self, entry: ShownEntry) -> None:
        """Show an entry to everybody who watches; from any thread."""
        self._send(entry)

    def close(self) -> None:
        """End every stream: the server stops."""
        self._closed = True
        self._send(None)

    async def watch(self) -> AsyncIterator[ShownEntry | None]:
        """Yield entries as they come, None after each silence, until the server stops."""
        queue: asyncio.Queue[ShownEntry | None] = asyncio.Queue(BACKLOG)
        with self._lock:
            self._watchers[queue] = asyncio.get_running_loop()
        try:
            yield None
            while not self._closed:
                try:
                    entry = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield None
                    continue
                if entry is None:
                    return
                yield entry
        finally:
            with self._lock:
                self._watchers.pop(queue, None)

    async def stream(self, wanted: Callable[[ShownEntry], bool]) -> AsyncGenerator[str]:
        """Yield server-sent events (HTML Living Standard, 9.2) of wanted entries, as JSON."""
        async for entry in self.watch():
            if entry is None:
                yield ": beat\n\n"
                continue
            if not wanted(entry):
                continue
            data = json.dumps(entry.as_json(), ensure_ascii=False)
            yield f"event: entry\nid: {entry.number}\ndata: {data}\n\n"

    def _send(self, entry: ShownEntry | None) -> None:
        with self._lock:
            watchers = list(self._watchers.items())
        for queue, loop in watchers:
            loop.call_soon_threadsafe(_offer, queue, entry)


def _offer(queue: asyncio.Queue[ShownEntry | None], entry: ShownEntry | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(entry)
