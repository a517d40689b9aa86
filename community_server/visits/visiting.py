"""What the slice's functions need beside the change they work in, and its limits."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from community_server.messages.gateways import Channel
from community_server.settings import Settings
from tier_link.store import LinkStore

_HOUR: Final = 3600

ASKS_PER_DOOR_AND_HOUR: Final = 30
"""A gate at its busiest; more is somebody playing with the poster."""
NOTICES_PER_UNIT_AND_HOUR: Final = 4
"""So that nobody at a gate can make a household's phones ring all night; the desk sees them all."""
MOST_OPEN_VISITS: Final = 50
"""Visits of one resident at a time: a party; more are invited by the desk."""
UNANSWERED_S: Final = 24 * _HOUR
"""Nobody waits at a gate for longer."""
COURIER_HOURS: Final = 2
"""A round through the estate's buildings."""
SHORTEST_VISIT_S: Final = 5 * 60
"""A pass holds for whole minutes, and a link has to be opened first."""
WATCHED_S: Final = _HOUR
"""For how long after its last look a home's page hears of its visits by itself."""
REMEMBERED_S: Final = 3 * 24 * _HOUR
"""For how long a request is known again: longer than one can be stale either way."""


@dataclass(frozen=True)
class Visiting:
    """The way to the cloud, the estate's settings, and by which ways it writes to people."""

    links: LinkStore
    settings: Settings
    channels: Collection[Channel]

    @property
    def zone(self) -> ZoneInfo:
        """The estate's time zone."""
        return ZoneInfo(self.settings.time_zone)

    @property
    def desk_decides(self) -> bool:
        """Whether what a resident invites waits for the desk."""
        return self.settings.visits_decided_by == "desk"
