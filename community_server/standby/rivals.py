"""Noticing that another server has taken over: an old primary that comes back stops by itself.

The other server's own word, signed by the community's root, is enough. Doors and the cloud prove
only that they are they: of these two have to agree, so that one stolen unit stops no estate.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import LetterRefused
from community_server.setup.community import find_community
from community_server.standby.asking import fetch_epoch
from community_server.standby.notes import Superseded, find_note, keep_note
from community_server.standby.queries import find_standby
from tier_link.store import LinkStore, reading

_log = logging.getLogger(__name__)

ASK_EVERY: Final = 15.0
"""Seconds between two questions to the other server."""
WITNESSES: Final = 2
"""Doors, or a door and the cloud, that have to say so; one where the estate has no more."""


@dataclass
class Rivals:
    """Watches out for a later server of the same estate. Thread-safe."""

    engine: Engine
    links: LinkStore
    folder: Path
    root: Callable[[], Ed25519PublicKey | None]
    _witnesses: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _stop: Callable[[], None] | None = None

    @property
    def found(self) -> bool:
        """Whether another server serves."""
        return find_note(self.folder, Superseded) is not None

    def on_found(self, stop: Callable[[], None]) -> None:
        """Call `stop` when one is found."""
        self._stop = stop

    async def run(self) -> None:
        """Ask the other server for ever, or until it has taken over."""
        while True:
            try:
                if await asyncio.to_thread(self.ask):
                    return
            except SQLAlchemyError as error:
                _log.warning("other=not-asked database=%s", type(error).__name__)
            await asyncio.sleep(ASK_EVERY)

    def ask(self) -> bool:
        """Ask the other server, if there is one; say whether it has taken over."""
        with Session(reading(self.engine)) as session:
            row = find_standby(session)
            address = row.address if row is not None else ""
        root = self.root() if address else None
        if root is None:
            return False
        try:
            stated = fetch_epoch(address, root)
        except LetterRefused as refused:
            _log.debug("other=%s answer=none reason=%s", address, refused.code)
            return False
        if stated.epoch <= self.links.epoch:
            return False
        self._note(Superseded(now(), stated.epoch, address))
        return True

    def hear(self, peer: str) -> None:
        """Take a door's word, or the cloud's, that it has met a later server than this one."""
        with self._lock:
            self._witnesses.add(peer)
            count = len(self._witnesses)
        _log.critical("peer=%s later-server=met witnesses=%d", peer, count)
        if count >= min(WITNESSES, self._peers()):
            self._note(Superseded(now()))

    def _peers(self) -> int:
        with Session(reading(self.engine)) as session:
            paired = select(func.count()).select_from(Door).where(Door.state == "paired")
            community = find_community(session)
            cloud = community is not None and community.cloud_key is not None
            return (session.scalar(paired) or 0) + cloud

    def _note(self, note: Superseded) -> None:
        with self._lock:
            if self.found:
                return
            keep_note(self.folder, note)
        _log.critical(
            "superseded=yes serving=no another server of this estate has taken over%s; this one is "
            "out of date and stops. Make it the other's standby: docs/operations.md",
            f" at {note.address}" if note.address else "",
        )
        if self._stop is not None:
            self._stop()
