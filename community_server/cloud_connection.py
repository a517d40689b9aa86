"""The link to the cloud: paired once, then dialed for as long as the server runs."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from websockets.exceptions import InvalidHandshake

from community_server.audit.log import audit
from community_server.change import CLOUD, Changer
from community_server.cloud_link import CloudRecords
from community_server.cloud_news import (
    publish_audit_head,
    publish_open_invitations,
    publish_profile,
)
from community_server.errors import Conflict, InputRefused
from community_server.ledger.service import send_whole
from community_server.settings import Settings
from community_server.setup.community import find_community, get_community
from community_server.setup.service import adopt_slug
from tier_link.channel import Dialer, LiveLink, NodeIdentity, dial_pairing
from tier_link.errors import PairingRefused, UnsafeAddress
from tier_link.pairing import Paired
from tier_link.store import LinkStore, reading

_log = logging.getLogger(__name__)

MAX_URL: Final = 400


@dataclass(frozen=True)
class CloudState:
    """How the link to the cloud is doing; `why` is the last failure's code."""

    paired: bool
    url: str
    phase: str
    why: str


class CloudConnection:
    """Pairs with a cloud and keeps the link up."""

    def __init__(
        self,
        engine: Engine,
        links: LinkStore,
        changer: Changer,
        records: CloudRecords,
        link_key: Ed25519PrivateKey,
        settings: Settings,
    ) -> None:
        self._engine = engine
        self._links = links
        self._changer = changer
        self._records = records
        self._link_key = link_key
        self._settings = settings
        self._dialer: Dialer | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Dial the cloud if there is one; again after pairing with another."""
        self._loop = asyncio.get_running_loop()
        await self.stop()
        self._dialer = await asyncio.to_thread(self._make_dialer)
        if self._dialer is not None:
            self._task = asyncio.create_task(self._dialer.run(), name="cloud link")

    async def stop(self) -> None:
        """End the link."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = self._dialer = None

    @property
    def link(self) -> LiveLink | None:
        """The link, if it is up."""
        return self._dialer.link if self._dialer else None

    def wake(self, peer: str) -> None:
        """Tell the link, if it is up, that the cloud's outbox has news."""
        link = self.link if peer == CLOUD else None
        if link is not None:
            link.wake()

    def pair(self, url: str, code: str, staff: str) -> str:
        """Pair with the cloud at `url`; return the community's public id. In a worker thread.

        Raises:
            InputRefused: `url-unusable`, `cloud-unreachable`, or the pairing's own code.
            Conflict: `not-running`.
        """
        address = _clean_url(url)
        if self._loop is None:
            raise Conflict("the server is not running", code="not-running")
        with Session(reading(self._engine)) as session:
            name = get_community(session).name
        paired = asyncio.run_coroutine_threadsafe(
            self._dial_pairing(address, code, name), self._loop
        ).result()
        with self._changer.change() as change:
            community = get_community(change.session)
            self._links.forget_peer(change.session, CLOUD)
            community.cloud_url = address
            community.cloud_node = paired.configuration.peer
            community.cloud_key = paired.peer_key
            adopt_slug(change, paired.configuration.node)
            publish_profile(change, self._links, unsealed_uploads=self._settings.unsealed_uploads)
            publish_open_invitations(change, self._links)
            publish_audit_head(change, self._links)
            send_whole(change, self._links, CLOUD)
            audit(change.session, staff, "cloud-paired", community.slug)
        asyncio.run_coroutine_threadsafe(self.start(), self._loop).result()
        return paired.configuration.node

    def state(self) -> CloudState:
        """Return how the link is doing."""
        with Session(reading(self._engine)) as session:
            community = find_community(session)
            url = community.cloud_url if community else ""
        if self._dialer is None:
            return CloudState(bool(url), url, "off", "")
        return CloudState(True, url, self._dialer.state.phase, self._dialer.state.why)

    def _make_dialer(self) -> Dialer | None:
        with Session(reading(self._engine)) as session:
            community = find_community(session)
            if community is None or community.cloud_key is None:
                return None
            return Dialer(
                _socket_url(community.cloud_url, "link"),
                NodeIdentity(community.slug, self._link_key),
                community.cloud_node,
                Ed25519PublicKey.from_public_bytes(community.cloud_key),
                self._links,
                self._records,
            )

    async def _dial_pairing(self, url: str, code: str, name: str) -> Paired:
        try:
            return await dial_pairing(
                _socket_url(url, "pair"),
                code,
                role="server",
                private_key=self._link_key,
                name=name,
            )
        except PairingRefused as error:
            raise InputRefused(str(error), field="code", code=error.code) from error
        except UnsafeAddress as error:
            raise InputRefused(str(error), field="url", code=error.code) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise InputRefused(
                "no cloud answers at this address", field="url", code="cloud-unreachable"
            ) from error


def _clean_url(url: str) -> str:
    address = url.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.fragment
    except ValueError:
        usable = False
    if not usable or len(address) > MAX_URL:
        raise InputRefused("an address begins with https://", field="url", code="url-unusable")
    return address


def _socket_url(url: str, path: str) -> str:
    return f"ws{url.removeprefix('http')}/{path}"
