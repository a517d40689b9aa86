"""A door that has been away for long is an alarm of the server's own."""

import time
from collections.abc import Callable
from typing import Final

from access_rules.alarms import AlarmKind
from community_server.alarms.service import active_kinds, end_alarms, raise_alarm
from community_server.change import Changer
from community_server.doors.service import list_doors

OFFLINE_S: Final = 600.0
"""Longer than a terminal, a switch or this server takes to start anew after a power cut."""


class OfflineWatch:
    """Counts for how long each door has been away.

    Args:
        changer: Makes the changes.
        connected: Whether a door's link is up.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        changer: Changer,
        connected: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changer = changer
        self._connected = connected
        self._clock = clock
        self._seen: dict[str, float] = {}

    def look(self) -> None:
        """Raise and end what is due."""
        moment = self._clock()
        with self._changer.change() as change:
            session, kinds = change.session, active_kinds(change.session)
            paired = [door.id for door in list_doors(session) if door.state == "paired"]
            self._seen = {door: self._seen.get(door, moment) for door in paired}
            for door in paired:
                told = AlarmKind.DOOR_OFFLINE in kinds.get(door, [])
                if self._connected(door):
                    self._seen[door] = moment
                    if told:
                        end_alarms(session, door, AlarmKind.DOOR_OFFLINE)
                elif not told and moment - self._seen[door] > OFFLINE_S:
                    raise_alarm(session, door, AlarmKind.DOOR_OFFLINE)
