"""What vision runs with: the newest configuration while it does well, else the last that did.

Two things can keep vision from coming up: another model pack, and another way of looking. Either is
on trial until vision has worked with it for a while; until then what worked before is not
forgotten, and vision goes back to it. Rules never go back: who may pass, how alike is enough and
what is revoked hold from the moment the door hears of them.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec

HEALTHY_S: Final = 30.0
"""A plan has proven itself when vision has worked with it for so long without a break."""
MOST_DEATHS: Final = 3
"""So often vision may die on trial: once may be chance, thrice is not."""

PACK_UNHEALTHY: Final = "pack-unhealthy"
SETTINGS_UNHEALTHY: Final = "settings-unhealthy"
MENDABLE: Final = frozenset({"models-missing", "model-damaged", "licence-not-confirmed"})
"""What somebody can mend at the terminal, which is then noticed."""


class Look(msgspec.Struct, frozen=True):
    """How vision looks, as staff set it; see `tier_link.estate_messages.Zone`."""

    min_face_px: float
    dwell_ms: float
    max_yaw_deg: float
    frames: int
    liveness: bool
    passes: bool


class Plan(msgspec.Struct, frozen=True):
    """A model pack, and how to look; not how before the server has configured this door."""

    pack: str
    look: Look | None = None


class Trial:
    """Chooses the plan. Not thread-safe: the supervisor's loop alone changes it."""

    def __init__(
        self,
        wanted: Plan,
        good: Plan | None,
        default: str,
        keep: Callable[[Plan], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what is wanted, what worked last, and the pack to go back to where nothing did.

        `keep` stores what has proven itself.
        """
        self._keep = keep
        self._clock = clock
        self._default = default
        self._good = good
        self._proven, self._deaths, self._began = False, 0, 0.0
        self.problem = ""
        """Why the plan that is wanted is not the one in force; empty when it is."""
        self.want(wanted)

    @property
    def wanted(self) -> Plan:
        """The newest plan."""
        return self._candidates[0]

    @property
    def plan(self) -> Plan:
        """The plan in force."""
        return self._candidates[self._index]

    @property
    def mendable(self) -> bool:
        """Whether the wanted pack may become usable by what somebody does at the terminal."""
        return self.problem in MENDABLE

    def want(self, plan: Plan, running: str = "") -> None:
        """Take a new plan; where vision is `running` another pack, it keeps that for now."""
        before = running or (self._good.pack if self._good else self._default)
        careful = msgspec.structs.replace(plan, pack=before)
        fallbacks = [careful] if self._good is None else [careful, self._good]
        self._candidates = list(dict.fromkeys([plan, *fallbacks]))
        self._index = 1 if running and running != plan.pack else 0
        self.problem = ""
        self._begin()

    def take_up(self) -> None:
        """Try the wanted plan: its pack has been loaded beside, and is fit."""
        self._index, self.problem = 0, ""
        self._begin()

    def refuse(self, code: str = "") -> None:
        """Go back: vision cannot come up with this plan."""
        if self._proven:
            return
        if self._index + 1 < len(self._candidates):
            other = self._candidates[self._index + 1]
            unhealthy = PACK_UNHEALTHY if other.pack != self.plan.pack else SETTINGS_UNHEALTHY
            self.problem = self.problem or code or unhealthy
            self._index += 1
            self._begin()

    def rehearsed_badly(self, code: str) -> None:
        """Stay with the pack that runs: the wanted one cannot be loaded."""
        self.problem = code

    def died(self) -> None:
        """Count a death of vision."""
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            self.refuse()

    def works(self, since: float) -> None:
        """Take a heartbeat of a vision process that has been ready `since` (monotonic seconds)."""
        if self._proven or self._clock() - max(since, self._began) < HEALTHY_S:
            return
        self._proven = True
        if self.plan.look is not None and self.plan != self._good:
            self._good = self.plan
            self._keep(self.plan)

    def _begin(self) -> None:
        self._proven = self.plan == self._good
        self._deaths = 0
        self._began = self._clock()
