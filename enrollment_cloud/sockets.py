"""Who may open a WebSocket here."""

from typing import cast

from starlette.requests import HTTPConnection

from enrollment_cloud.context import Cloud
from tier_kit.forms.errors import TooMany
from tier_kit.forms.limits import RateLimit
from tier_link.channel import AsgiSocket, Scope


def cloud_of(scope: Scope) -> Cloud:
    """Return the cloud that serves this connection."""
    return cast("Cloud", HTTPConnection(scope).app.state.cloud)


async def admit(scope: Scope, socket: AsgiSocket, limit: RateLimit, now: float) -> bool:
    """Accept a WebSocket unless its address has opened too many; then refuse with 403."""
    client = HTTPConnection(scope).client
    try:
        limit.spend(client.host if client else "", now)
    except TooMany:
        await socket.refuse()
        return False
    await socket.accept()
    return True
