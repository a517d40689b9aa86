"""`/link`: where communities dial in, and ending links that must not go on."""

import time

from fastapi import APIRouter
from sqlalchemy import or_, select
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
    changed = or_(Community.revoked_at.is_not(None), Community.paired_at > min(up.values()))
    with cloud.database.read() as session:
        rows = session.execute(
            select(Community.id, Community.revoked_at, Community.paired_at).where(changed)
        ).all()
    for community, revoked_at, paired_at in rows:
        if community in up and (revoked_at is not None or (paired_at or 0) > up[community]):
            cloud.hub.drop(community)
