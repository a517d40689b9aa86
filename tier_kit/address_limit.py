"""A limit on everything that one address asks of a process, whatever route it would take.

Pure ASGI (https://asgi.readthedocs.io), so that this package knows no web framework. Routes that
cost more have limits of their own behind it; this one bounds what has none: pages, static files,
addresses that lead nowhere, and links.
"""

import time
from collections.abc import Callable

from tier_kit.forms.errors import TooMany
from tier_kit.forms.limits import RateLimit
from tier_kit.security import App, Receive, Scope, Send

Answer = Callable[[Scope, TooMany], App]
"""Makes the answer to whoever asks too often: in their language, as a page or for a program."""


class AddressLimit:
    """ASGI middleware: one token of the address's bucket for each request and each WebSocket.

    With `methods`, only requests of these count.
    """

    def __init__(
        self,
        app: App,
        *,
        limit: RateLimit,
        answer: Answer,
        methods: frozenset[str] | None = None,
    ) -> None:
        self._app = app
        self._limit = limit
        self._answer = answer
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0), or refuse it: a WebSocket before it is accepted."""
        if not self._counts(scope):
            await self._app(scope, receive, send)
            return
        try:
            self._limit.spend(address_in(scope), time.monotonic())
        except TooMany as refusal:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1013, "reason": refusal.code})
            else:
                await self._answer(scope, refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _counts(self, scope: Scope) -> bool:
        if scope["type"] == "http":
            return self._methods is None or scope["method"] in self._methods
        return scope["type"] == "websocket" and self._methods is None


def address_in(scope: Scope) -> str:
    """Return the address a connection comes from, empty when unknown (a Unix socket)."""
    client = scope.get("client")
    return str(client[0]) if client else ""
