"""Where doors connect: pairing and links."""

import asyncio
import hashlib
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
from community_server.ledger.service import send_whole
from community_server.setup.community import find_community, get_community
from tier_link.channel import (
    LinkHub,
    LiveLink,
    MessageSocket,
    NodeIdentity,
    Pace,
    accept_pairing,
)
from tier_link.errors import PairingRefused
from tier_link.pairing import PairingConfiguration, PairStart
from tier_link.store import LinkStore, PairingCodes, reading
from tier_link.store.codes import IssuedCode, OpenCode

_log = logging.getLogger(__name__)

CLOSE_NOT_SET_UP: Final = 4404
"""WebSocket close code: this server has no community yet."""


OUTBOX_POLL_S: Final = 10.0
"""Every change wakes the links of the doors that it concerns (`Change.wake`). To look without that
is for what nobody thinks of; with hundreds of doors a look a second was a fifth of their cost."""


def server_identity(link_key: Ed25519PrivateKey) -> NodeIdentity:
    """Return what doors know this server by: its link key, under that key's fingerprint.

    The community's public id would not do: a cloud gives another one, perhaps after doors were
    paired.
    """
    public = link_key.public_key().public_bytes_raw()
    return NodeIdentity(hashlib.sha256(public).hexdigest()[:32], link_key)


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
        self._authority = authority
        self._identity = server_identity(link_key)
        pace = Pace(outbox_poll_s=OUTBOX_POLL_S)
        self._hub = LinkHub(self._identity, links, records, records.public_key, pace)

    async def accept_link(self, socket: MessageSocket) -> None:
        """Carry a door's link until it ends."""
        if await asyncio.to_thread(self._is_set_up):
            await self._hub.accept(socket)
        else:
            await socket.close(CLOSE_NOT_SET_UP, "not-set-up")

    async def accept_pairing(self, socket: MessageSocket) -> None:
        """Carry one attempt at pairing."""
        if await asyncio.to_thread(self._is_set_up):
            await accept_pairing(
                socket, self._identity, self._codes, self._configure, self._complete
            )
        else:
            await socket.close(CLOSE_NOT_SET_UP, "not-set-up")

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
        return self._hub.link(door)

    def wake(self, peer: str) -> None:
        """Tell a door's link, if it is up, that its outbox has news."""
        link = self.link(peer)
        if link is not None:
            link.wake()

    def drop(self, door: str) -> None:
        """Close the link of a door that was revoked."""
        self._hub.drop(door)

    async def run_news(self) -> None:
        """Tell every connected door the news, for ever."""
        while True:
            await asyncio.sleep(NEWS_EVERY)
            await asyncio.to_thread(self.tell_news)

    def tell_news(self) -> None:
        """Tell every connected door the news, now; from any thread but the event loop's."""
        for peer in self._hub.peers():
            link = self.link(peer)
            if link is None:
                continue
            try:
                self._records.send_news(peer, link)
            except ServerError as error:
                _log.warning("door=%s news=not-sent code=%s", peer, error.code)
            except SQLAlchemyError:
                _log.exception("door=%s news=not-sent", peer)

    def _is_set_up(self) -> bool:
        with Session(reading(self._engine)) as session:
            return find_community(session) is not None

    def _configure(self, code: OpenCode, start: PairStart) -> PairingConfiguration:
        del start
        with Session(reading(self._engine)) as session:
            return PairingConfiguration(
                community=get_community(session).slug,
                node=code.subject,
                peer=self._identity.node,
                ca_pem=self._authority.pem.decode("ascii"),
            )

    def _complete(self, code: OpenCode, start: PairStart) -> None:
        with self._changer.change() as change:
            self._codes.spend(change.session, code)
            door = get_door(change.session, code.subject, lock=True)
            if door.state == "revoked":
                raise PairingRefused("this door was revoked", code="pairing-code-unknown")
            self._configurer.welcome(change, door, start.public_key)
            send_whole(change, self._links, door.id)
        self.drop(code.subject)
        _log.info("door=%s paired=yes at=%d", code.subject, now())
