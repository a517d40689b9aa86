"""A small picture of a face that was refused, for the server alone, where the estate wants them.

Whoever is let in is in none, and neither is whoever makes no entry. The picture is in this
process's memory and nowhere else, until the server has answered or the deadline is over: it is
tried once, and lost without a link.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Final

from access_rules.decision import DecisionReason
from door_terminal.configuration import Configuration
from door_terminal.decisions.decider import Outcome
from door_terminal.decisions.recognition import MatchLink
from door_terminal.vision.messages import Sighting
from tier_link.errors import RequestError
from tier_link.estate_messages import ESTATE, MAX_CROP, SnapshotTaken

_log = logging.getLogger(__name__)

DEADLINE_S: Final = 5.0
"""How long the server may take to say that it has a picture."""
MOST_UNDER_WAY: Final = 2
"""Pictures on their way at once. One more is lost: a server that is that slow has no use for it,
and they must not crowd out the matches that go the same way."""


class SnapshotSender:
    """Sends the pictures, on threads of its own: no decision and no gate waits for one."""

    def __init__(
        self,
        *,
        configuration: Callable[[], Configuration | None],
        link: Callable[[], MatchLink | None],
    ) -> None:
        """Take where configuration and link are to be found now."""
        self._configuration = configuration
        self._link = link
        self._free = BoundedSemaphore(MOST_UNDER_WAY)
        self._threads = ThreadPoolExecutor(MOST_UNDER_WAY, thread_name_prefix="snapshot")

    def decided(self, sighting: Sighting, outcome: Outcome | None) -> None:
        """Take what became of a sighting, once its entry is durable; returns at once.

        `outcome` is None where there is no entry.
        """
        if outcome is None or not self._is_wanted(outcome):
            return
        link = self._link()
        picture = next(iter(sighting.crops), b"")
        if link is None or not 0 < len(picture) <= MAX_CROP:
            return
        if not self._free.acquire(blocking=False):
            _log.info("a snapshot is lost: others are under way entry=%s", outcome.entry)
            return
        snapshot = SnapshotTaken(outcome.entry, outcome.at, picture)
        self._threads.submit(self._send, link, snapshot)

    def close(self) -> None:
        """Wait for what is under way, for no longer than its deadline."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _is_wanted(self, outcome: Outcome) -> bool:
        configuration = self._configuration()
        if configuration is None or not configuration.wire.snapshots or not outcome.entry:
            return False
        # Whoever is asked for a second credential is not refused: most of them are let in.
        half = outcome.reason is DecisionReason.SECOND_CREDENTIAL_NEEDED
        return not outcome.granted and not half

    def _send(self, link: MatchLink, snapshot: SnapshotTaken) -> None:
        try:
            link.request(ESTATE.kind(snapshot), ESTATE.encode(snapshot), DEADLINE_S)
        except RequestError as error:
            _log.warning("a snapshot is lost code=%s entry=%s", error.code, snapshot.entry)
        finally:
            self._free.release()
