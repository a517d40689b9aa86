"""`/link`: where communities dial in, and ending links that must not go on."""

import time

from fastapi import APIRouter
from starlette.websockets import WebSocket

from enrollment_cloud.communities.tables import Community
from enrollment_cloud.context import Cloud
from enrollment_cloud.sockets import StarletteSocket, admit

router = APIRouter()


@router.websocket("/link")
async def serve_link(websocket: WebSocket) -> None:
    """Carry one community's link until it ends."""
    cloud: Cloud = websocket.app.state.cloud
    if await admit(websocket, cloud.reads, time.monotonic()):
        await cloud.hub.accept(StarletteSocket(websocket))


def drop_outdated_links(cloud: Cloud) -> None:
    """Close links of communities that were revoked or paired anew since, perhaps elsewhere."""
    up = dict(cloud.records.since)
    if not up:
        return
    with cloud.database.read() as session:
        for community, since in up.items():
            row = session.get(Community, community)
            if row is None or row.revoked_at is not None or (row.paired_at or 0) > since:
                cloud.hub.drop(community)
