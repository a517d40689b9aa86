"""What doors say of themselves, and whether each holds the roster it ought to."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from community_server.change import Changer
from community_server.doors.service import get_door
from community_server.errors import NotFound
from community_server.ledger.gate import LedgerGate
from community_server.rosters.news import Rosters
from community_server.rosters.rolls import RosterState
from tier_link.estate_messages import DoorPresence
from tier_link.store import LinkStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """The last presence of a door, when it came (monotonic), and whether its roster fitted."""

    presence: DoorPresence
    at: float
    in_step: bool


class DoorWatch:
    """Remembers presences and mends rosters that differ; safe to use from any thread."""

    def __init__(
        self,
        rosters: Rosters,
        links: LinkStore,
        changer: Changer,
        gate: LedgerGate,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rosters = rosters
        self._links = links
        self._changer = changer
        self._gate = gate
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, Seen] = {}
        self._differing: dict[str, tuple[int, bytes]] = {}

    def find(self, door: str) -> Seen | None:
        """Return what is known of a door since this server started."""
        with self._lock:
            return self._seen.get(door)

    def take(self, door: str, presence: DoorPresence) -> None:
        """Take a presence; a difference that persists with nothing under way gets a snapshot."""
        expected = self._rosters.state(door)
        held = (presence.roster_version, presence.roster_hash)
        in_step = held == (expected.version, expected.hash)
        with self._lock:
            self._seen[door] = Seen(presence, self._clock(), in_step)
            before = self._differing.pop(door, None)
            if not in_step:
                self._differing[door] = held
        if not in_step and before == held and self._gate.is_open and not self._links.waiting(door):
            self._mend(door, expected)

    def forget(self, door: str) -> None:
        """Forget a door's presence: its link is gone."""
        with self._lock:
            self._seen.pop(door, None)
            self._differing.pop(door, None)

    def _mend(self, door: str, expected: RosterState) -> None:
        _log.warning("door=%s roster=differs version=%d action=snapshot", door, expected.version)
        try:
            with self._changer.change() as change:
                row = get_door(change.session, door, lock=True)
                if row.state == "paired":
                    self._rosters.send_snapshot(change, row)
        except NotFound:
            _log.info("door=%s roster=differs action=none reason=gone", door)
