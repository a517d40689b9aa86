"""What stands before the page's routes: headers, the own host alone, how often anybody may ask."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from door_terminal.screen.bodies import refusal
from tier_kit.address_limit import AddressLimit
from tier_kit.forms.errors import TooMany
from tier_kit.forms.limits import RateLimit
from tier_kit.security import App, SecurityHeaders
from tier_kit.security import Scope as PlainScope

READS_PER_MINUTE: Final = 3000
"""The page asks for the state twice a second and for pictures as fast as the camera has them; three
times that. Whatever else runs on the terminal and asks more often has to wait, and the page with
it: the door's controller, which it would slow down, goes before its screen."""

WRITES_PER_MINUTE: Final = 120
"""Everything that somebody at the pad sends: two a second are more than hands do. PINs have waits
of their own, which grow."""

_READING: Final = frozenset({"GET", "HEAD"})
_WRITING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def guarded(routes: ASGIApp, port: int) -> ASGIApp:
    """Return an application that serves `routes` to this machine alone, at a rate."""
    app: App = routes
    for per_minute, methods in ((READS_PER_MINUTE, _READING), (WRITES_PER_MINUTE, _WRITING)):
        app = AddressLimit(app, limit=RateLimit(per_minute), answer=_too_many, methods=methods)
    return SecurityHeaders(OwnHostOnly(app, port), https=False)


def _too_many(scope: PlainScope, refused: TooMany) -> App:
    del scope
    answer = refusal(429, refused.code)
    answer.headers["retry-after"] = str(refused.retry_after)
    return answer


class OwnHostOnly:
    """Refuses requests that name another host or come from another origin.

    So a web page elsewhere can neither reach in under its own name (DNS rebinding) nor post here.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        names = (f"127.0.0.1:{port}", f"[::1]:{port}", f"localhost:{port}")
        self._hosts = {name.encode() for name in names}
        self._origins = {b"http://" + name for name in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 421."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            origin = headers.get(b"origin")
            if headers.get(b"host") not in self._hosts or not (
                origin is None or origin in self._origins
            ):
                answer = refusal(421, "other-host")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
