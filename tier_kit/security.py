"""Headers that every page of every tier carries.

Pure ASGI (https://asgi.readthedocs.io), so that this package knows no web framework.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Content Security Policy Level 3. Everything is off but what our own pages use: own scripts,
# styles, requests and workers; pictures and video that the page itself made (blob:).
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    # Links carry secrets in their fragment; browsers do not send that part, and this keeps
    # the rest of the address from other sites too.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

STRICT_TRANSPORT_SECURITY: Final = "max-age=31536000"


class SecurityHeaders:
    """ASGI middleware that adds the headers to each HTTP response.

    Pages and API answers are not to be stored (`cache-control: no-store`) unless the
    application says otherwise, as it does for its static files.
    """

    def __init__(self, app: App, *, https: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if https:
            self._headers["strict-transport-security"] = STRICT_TRANSPORT_SECURITY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._complete(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _complete(self, present: Any) -> list[tuple[bytes, bytes]]:
        headers = list(present)
        names = {name.lower() for name, _ in headers}
        for name, value in {**self._headers, "cache-control": "no-store"}.items():
            if name.encode() not in names:
                headers.append((name.encode(), value.encode()))
        return headers
