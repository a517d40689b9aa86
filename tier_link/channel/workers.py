"""The threads in which links call tiers and stores."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

DURABLE_THREADS: Final = 2
"""For records and acknowledgements: a database has one writer at a time anyway."""
PROMPT_THREADS: Final = 24
"""For requests and latest values: requests may wait for one another, and share work, in there."""


class Workers:
    """Two pools, so that a backlog of records never makes a request wait for a thread."""

    def __init__(self, durable_threads: int = DURABLE_THREADS) -> None:
        self._durable = ThreadPoolExecutor(durable_threads, thread_name_prefix="link-durable")
        self._prompt = ThreadPoolExecutor(PROMPT_THREADS, thread_name_prefix="link-prompt")

    async def durable(self, call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run a call of the durable log's.

        Cancelling waits for the transaction under way: when a link is down, none of its
        records takes effect any more, and the database may be closed.
        """
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._durable, lambda: call(*args, **kwargs))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise

    async def prompt(self, call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run a call that somebody waits for."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._prompt, lambda: call(*args, **kwargs))
