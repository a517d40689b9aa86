"""`/link`: where communities dial in; ending links that must not go on, waking those with news."""

import time
from dataclasses import dataclass

from fastapi import APIRouter
from sqlalchemy import or_, select
from starlette.routing import WebSocketRoute

from enrollment_cloud.clock import unix_now
from enrollment_cloud.communities.presence import NOTED_EVERY_S, note_links
from enrollment_cloud.communities.tables import Community
from enrollment_cloud.context import Cloud
from enrollment_cloud.limits import MAX_HANDSHAKES
from enrollment_cloud.sockets import admit, cloud_of
from tier_link.channel import AsgiSocket, Scope, SocketEndpoint


async def serve_link(scope: Scope, socket: AsgiSocket) -> None:
    """Carry one community's link until it ends."""
    cloud = cloud_of(scope)
    if cloud.hub.handshakes >= MAX_HANDSHAKES:
        await socket.refuse()
    elif await admit(scope, socket, cloud.reads, time.monotonic()):
        await cloud.hub.accept(socket)


router = APIRouter(routes=[WebSocketRoute("/link", SocketEndpoint(serve_link))])


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


def wake_waiting_links(cloud: Cloud) -> None:
    """Let links look for what waits: another process may have taken it."""
    up = cloud.hub.peers()
    if not up:
        return
    with cloud.database.read() as session:
        waiting = cloud.relay.store.all_waiting(session)
    for community in waiting.keys() & set(up):
        link = cloud.hub.link(community)
        if link is not None:
            link.wake()


@dataclass
class Presence:
    """Tells the other processes, now and then, which links are up here."""

    cloud: Cloud
    _next: float = 0.0

    def note(self, moment: float) -> None:
        """Note them if it is time; `moment` is in monotonic seconds."""
        if moment < self._next:
            return
        up = self.cloud.hub.peers()
        if up:
            with self.cloud.database.write.begin() as session:
                note_links(session, up, unix_now())
        self._next = moment + NOTED_EVERY_S
