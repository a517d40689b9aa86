"""Where doors connect: pairing and links."""

import asyncio
import logging
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from community_server.change import Changer
from community_server.database import now
from community_server.door_links import NEWS_EVERY, DoorRecords
from community_server.doors.service import Configurer, get_door, living_door
from community_server.errors import ServerError
from community_server.keys.authority import Authority
from community_server.setup.community import find_community, get_community
from tier_link.channel import LinkHub, LiveLink, MessageSocket, NodeIdentity, accept_pairing
from tier_link.errors import PairingRefused
from tier_link.pairing import PairingConfiguration, PairStart
from tier_link.store import LinkStore, PairingCodes, reading
from tier_link.store.codes import IssuedCode, OpenCode

_log = logging.getLogger(__name__)

CLOSE_NOT_SET_UP: Final = 4404
"""WebSocket close code: this server has no community yet."""


class DoorHub:
    """Accepts doors' pairings and links once the server has been set up."""

    def __init__(
        self,
        engine: Engine,
        links: LinkStore,
        codes: PairingCodes,
        changer: Changer,
        configurer: Configurer,
        records: DoorRecords,
        link_key: Ed25519PrivateKey,
        authority: Authority,
    ) -> None:
        self._engine = engine
        self._links = links
        self._codes = codes
        self._changer = changer
        self._configurer = configurer
        self._records = records
        self._link_key = link_key
        self._authority = authority
        self._hub: LinkHub | None = None
        self._node = ""

    async def accept_link(self, socket: MessageSocket) -> None:
        """Carry a door's link until it ends."""
        identity = await asyncio.to_thread(self._identity)
        if identity is None:
            await socket.close(CLOSE_NOT_SET_UP, "not-set-up")
            return
        if self._hub is None or self._node != identity.node:
            self._node = identity.node
            self._hub = LinkHub(identity, self._links, self._records, self._records.public_key)
        await self._hub.accept(socket)

    async def accept_pairing(self, socket: MessageSocket) -> None:
        """Carry one attempt at pairing."""
        identity = await asyncio.to_thread(self._identity)
        if identity is None:
            await socket.close(CLOSE_NOT_SET_UP, "not-set-up")
            return
        await accept_pairing(socket, identity, self._codes, self._configure, self._complete)

    def issue_code(self, session: Session, door: str) -> IssuedCode:
        """Issue a pairing code for a door; an older open one of the same door ends.

        Raises:
            NotFound: `door-unknown`.
            Conflict: `door-revoked`.
        """
        living_door(session, door)
        return self._codes.issue(session, role="door", subject=door)

    def link(self, door: str) -> LiveLink | None:
        """Return a door's link if it is up."""
        return self._hub.link(door) if self._hub else None

    def wake(self, peer: str) -> None:
        """Tell a door's link, if it is up, that its outbox has news."""
        link = self.link(peer)
        if link is not None:
            link.wake()

    def drop(self, door: str) -> None:
        """Close the link of a door that was revoked."""
        if self._hub is not None:
            self._hub.drop(door)

    async def run_news(self) -> None:
        """Tell every connected door the news, for ever."""
        while True:
            await asyncio.sleep(NEWS_EVERY)
            for peer in self._hub.peers() if self._hub else ():
                link = self.link(peer)
                if link is None:
                    continue
                try:
                    await asyncio.to_thread(self._records.send_news, peer, link)
                except ServerError as error:
                    _log.warning("door=%s news=not-sent code=%s", peer, error.code)
                except SQLAlchemyError:
                    _log.exception("door=%s news=not-sent", peer)

    def _identity(self) -> NodeIdentity | None:
        with Session(reading(self._engine)) as session:
            community = find_community(session)
            return NodeIdentity(community.node, self._link_key) if community else None

    def _configure(self, code: OpenCode, start: PairStart) -> PairingConfiguration:
        del start
        with Session(reading(self._engine)) as session:
            community = get_community(session)
            return PairingConfiguration(
                community=community.slug,
                node=code.subject,
                peer=community.node,
                ca_pem=self._authority.pem.decode("ascii"),
            )

    def _complete(self, code: OpenCode, start: PairStart) -> None:
        with self._changer.change() as change:
            self._codes.spend(change.session, code)
            door = get_door(change.session, code.subject, lock=True)
            if door.state == "revoked":
                raise PairingRefused("this door was revoked", code="pairing-code-unknown")
            self._configurer.welcome(change, door, start.public_key)
        self.drop(code.subject)
        _log.info("door=%s paired=yes at=%d", code.subject, now())
