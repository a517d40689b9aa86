"""Files that were read and wait for the word to apply them: in memory alone, for a short time."""

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from community_server.errors import NotFound
from community_server.imports.service import Plan

KEPT_S: Final = 30 * 60
"""How long somebody may look at a preview."""
MOST_KEPT: Final = 8


@dataclass(frozen=True)
class _Kept:
    staff: str
    plan: Plan = field(repr=False)
    until: float


class ImportBook:
    """Plans by id, each for who made it alone; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans: dict[str, _Kept] = {}

    def keep(self, plan: Plan, staff: str) -> str:
        """Keep a plan; return its id. The oldest goes when there are too many."""
        number = secrets.token_hex(16)
        with self._lock:
            self._forget_old()
            while len(self._plans) >= MOST_KEPT:
                del self._plans[next(iter(self._plans))]
            self._plans[number] = _Kept(staff, plan, time.monotonic() + KEPT_S)
        return number

    def find(self, number: str, staff: str) -> Plan:
        """Return a plan to who made it.

        Raises:
            NotFound: `import-unknown`, also once it was applied or has waited too long.
        """
        with self._lock:
            self._forget_old()
            kept = self._plans.get(number)
        if kept is None or kept.staff != staff:
            raise NotFound("no such file waits", code="import-unknown")
        return kept.plan

    def forget(self, number: str) -> None:
        """Forget a plan: it was applied, or is not wanted."""
        with self._lock:
            self._plans.pop(number, None)

    def _forget_old(self) -> None:
        moment = time.monotonic()
        self._plans = {one: kept for one, kept in self._plans.items() if kept.until > moment}
