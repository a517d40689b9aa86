"""After a restore: asking doors and cloud for the ledger, and serving again once it is here."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import CLOUD, Changer
from community_server.cloud_news import publish_everything
from community_server.database import now
from community_server.doors.service import Configurer
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused
from community_server.keys.root import root_key
from community_server.ledger.gate import LedgerGate
from community_server.ledger.replay import LedgerRefused, ask, check, replay
from community_server.ledger.service import find_wait, send_missed, write_ledger
from community_server.setup.community import get_community
from tier_link.channel import LiveLink
from tier_link.errors import RequestError, RequestFailed
from tier_link.ledger import LedgerRow
from tier_link.store import LinkStore, reading

_log = logging.getLogger(__name__)

LOOK_EVERY: Final = 2.0
"""Seconds between two looks at who can be asked."""
PATIENCE_S: Final = 120
"""Seconds for which doors and cloud that are not connected yet are waited for: longer than any of
them takes to dial again. After that those that are reachable decide."""
AT_ONCE: Final = 100
"""Rows done in one transaction, so that doors' entries come in between."""
REASONS: Final = ("copies-lost", "cannot-wait")
"""Why staff go on without the ledger."""


@dataclass(frozen=True)
class Source:
    """A door, or the cloud (`name` empty), and how it stands.

    `state` is `away`, `asked` (connected, not done), `answered`, `mute` (its release does not know
    the question) or `refused` (what it gave is not the community's ledger).
    """

    peer: str
    name: str
    state: str


@dataclass
class LedgerRecovery:
    """Recovers one server's ledger; idle where nothing is waited for.

    `door_link` and `cloud_link` give a link that is up; `drop_door` ends one.
    """

    engine: Engine
    changer: Changer
    links: LinkStore
    gate: LedgerGate
    configurer: Configurer
    unsealed_uploads: bool
    door_link: Callable[[str], LiveLink | None]
    cloud_link: Callable[[], LiveLink | None]
    drop_door: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _heard: dict[str, str] = field(default_factory=dict)
    _began: float | None = None

    async def run(self) -> None:
        """Ask until nothing is awaited any more; what fails is logged and tried again."""
        while True:
            try:
                if not await asyncio.to_thread(self.step):
                    return
            except Exception:  # noqa: BLE001 -- logged, and tried again
                _log.exception("ledger=not-recovered action=retry")
            await asyncio.sleep(LOOK_EVERY)

    def step(self) -> bool:
        """Ask whom can be asked, and open if it is time; say whether anything is still awaited."""
        with Session(reading(self.engine)) as session:
            wait = find_wait(session)
            if wait is None:
                return False
            after, names = wait.after, self._names(session)
            root = root_key(session, self.changer.safe).public_key()
        began = self._began = self.clock() if self._began is None else self._began
        links = {peer: link for peer in names if (link := self._link(peer)) is not None}
        for peer, link in links.items():
            if peer not in self._heard:
                self._take(peer, link, root, after)
        if not self.gate.is_open and self._may_open(names, links, self.clock() - began):
            self.open()
        if self.gate.is_open and names.keys() <= self._heard.keys():
            self._end()
            return False
        return True

    def sources(self) -> list[Source]:
        """Return whom the ledger is awaited from, the cloud first."""
        with Session(reading(self.engine)) as session:
            if find_wait(session) is None:
                return []
            names = self._names(session)
        return [Source(peer, name, self._state(peer)) for peer, name in names.items()]

    def open(self, staff: str = "", reason: str = "") -> None:
        """Serve again: with the ledger as it is known, or by the word of staff without it.

        Raises:
            InputRefused: `ledger-reason-unknown`.
            Conflict: `ledger-not-awaited`.
        """
        if staff and reason not in REASONS:
            raise InputRefused("say why", field="reason", code="ledger-reason-unknown")
        with self.changer.change() as change:
            wait = find_wait(change.session, lock=True)
            if wait is None or wait.state == "open":
                raise Conflict("nothing is waited for", code="ledger-not-awaited")
            for kind, subject, at in json.loads(wait.pending):
                change.record(kind, subject, at)
            wait.state, wait.pending = "open", "[]"
            write_ledger(change, self.links)
            send_missed(change, self.links, wait.after)
            publish_everything(change, self.links, unsealed_uploads=self.unsealed_uploads)
            action = "skip-ledger" if staff else "take-ledger"
            audit(change.session, staff, action, detail=reason)
            change.after_commit(self.gate.lift)
        _log.warning("ledger=%s serving=yes", "skipped" if staff else "here")
        with self.changer.change() as change:
            self.configurer.send_due(change)

    def _take(self, peer: str, link: LiveLink, root: Ed25519PublicKey, after: int) -> None:
        try:
            rows = ask(link, peer, after)
            check(rows, root, after)
        except RequestFailed as refused:
            _log.warning("ledger peer=%s answer=none code=%s", peer, refused.code)
            self._heard[peer] = "mute"
        except LedgerRefused as refused:
            _log.critical("ledger peer=%s answer=refused why=%s", peer, refused)
            self._heard[peer] = "refused"
        except RequestError:
            return  # the link went away: asked again over the next
        else:
            self._replay(peer, rows)
            self._heard[peer] = "answered"

    def _replay(self, peer: str, rows: list[LedgerRow]) -> None:
        new = 0
        for start in range(0, len(rows), AT_ONCE):
            with self.changer.change() as change:
                part = rows[start : start + AT_ONCE]
                new += replay(change, self.links, part, self.drop_door)
        _log.info("ledger peer=%s rows=%d new=%d", peer, len(rows), new)

    def _may_open(
        self, names: Mapping[str, str], links: Mapping[str, LiveLink], waited: float
    ) -> bool:
        """Say whether what is known is whole.

        All have been heard; or those that can be reached have, there was time for the others to
        come, and at least one had a copy.
        """
        if names.keys() <= self._heard.keys():
            return not names or "answered" in self._heard.values()
        reached = links.keys() <= self._heard.keys() and "answered" in self._heard.values()
        return reached and waited >= PATIENCE_S

    def _end(self) -> None:
        with Session(self.engine) as session, session.begin():
            wait = find_wait(session, lock=True)
            if wait is not None:
                session.delete(wait)
        _log.info("ledger=heard-of-all at=%d", now())

    def _state(self, peer: str) -> str:
        return self._heard.get(peer) or ("asked" if self._link(peer) else "away")

    def _link(self, peer: str) -> LiveLink | None:
        return self.cloud_link() if peer == CLOUD else self.door_link(peer)

    @staticmethod
    def _names(session: Session) -> dict[str, str]:
        """Return whom copies were given to, by id, with their names."""
        doors = select(Door.id, Door.name).where(Door.state == "paired").order_by(Door.name)
        found: dict[str, str] = dict(session.execute(doors).all())
        cloud = get_community(session).cloud_key is not None
        return ({CLOUD: ""} if cloud else {}) | found
