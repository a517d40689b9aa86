"""What this server notices by itself: doors that stay away or behind, disks that fill."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.escalation import UNTOLD, Telling, escalate
from community_server.alarms.queries import active_kinds
from community_server.alarms.rules import Rules, read_rules
from community_server.alarms.service import end_alarms, raise_alarm
from community_server.alarms.strangers import end_if_quiet
from community_server.backups.service import age_of_backup
from community_server.change import Change
from community_server.database import now
from community_server.doors.service import list_doors
from community_server.doors.tables import Door
from community_server.doors.watch import Seen
from community_server.estate import Estate
from community_server.people.census import begin_month
from community_server.privacy.assessment import has_changed
from community_server.privacy.details import take_census
from community_server.privacy.faces import faces_are_on, has_signature
from community_server.services.overstays import follow_overstays
from community_server.webhooks.queue import count_given_up

NOTED_EVERY_S: Final = 300
"""Between two notes that a door was heard of, so that a quiet estate writes little."""
GIB: Final = 1024**3
_OWN: Final = ""
"""Stands for this server where others are known by their door's id."""
CLEAR_OF: Final = 1.1
"""An alarm about a disk ends well clear of where it begins."""


@dataclass(frozen=True)
class Surroundings:
    """What there is to look at.

    `connected` and `seen` are asked by door; `free` is the free space of the data folder in bytes,
    None where it cannot be told; `lease_s` for how long doors go on without news; `backups` says
    whether this server is to make backups of its own, `changed` whether the configuration is
    another than the one that was signed for, and `telling` how staff are written to.
    """

    connected: Callable[[str], bool]
    seen: Callable[[str], Seen | None]
    free: Callable[[], int | None]
    lease_s: int
    backups: bool = False
    changed: Callable[[Session], bool] = lambda _: False
    telling: Telling = UNTOLD

    @classmethod
    def of(cls, estate: Estate) -> "Surroundings":
        """Return those of a running server."""

        def free() -> int | None:
            try:
                return shutil.disk_usage(estate.settings.data).free
            except OSError:
                return None

        return cls(
            connected=lambda door: estate.doors.link(door) is not None,
            seen=estate.watch.find,
            free=free,
            lease_s=estate.settings.resident_lease_days * 24 * 3600,
            backups=estate.settings.backup_folder is not None,
            changed=lambda session: has_changed(session, estate),
            telling=Telling(frozenset(estate.gateways), estate.settings.time_zone),
        )


class EstateWatch:
    """Raises an alarm when its cause has lasted for the time of its rule; ends it with the cause.

    Args:
        around: What to look at.
        clock: Seconds, steady.
    """

    def __init__(self, around: Surroundings, clock: Callable[[], float] = time.monotonic) -> None:
        self._around = around
        self._clock = clock
        self._since: dict[tuple[str, AlarmKind], float] = {}

    def look(self, change: Change) -> None:
        """Raise, end and escalate what is due."""
        session, moment = change.session, now()
        rules, active = read_rules(session), active_kinds(session)
        doors = [door for door in list_doors(session) if door.state == "paired"]
        for door in doors:
            due = self._around.connected(door.id) and moment - door.heard_at >= NOTED_EVERY_S
            if due or not door.heard_at:  # of one never heard of, from now on
                door.heard_at = moment
            told = active.get(door.id, [])
            for kind, due in self._of_door(door, rules, moment):
                self._follow(session, door.id, kind, due=due, told=kind in told)
            if AlarmKind.STRANGERS in told:
                end_if_quiet(session, door.id)
        self._forget_others({_OWN, *(door.id for door in doors)})
        own = active.get(None, [])
        for kind, due in self._of_server(session, rules, told=own):
            self._follow(session, None, kind, due=due, told=kind in own)
        follow_overstays(session, moment)
        escalate(change, self._around.telling, moment)

    def _of_door(self, door: Door, rules: Rules, moment: int) -> Iterator[tuple[AlarmKind, bool]]:
        connected, seen = self._around.connected(door.id), self._around.seen(door.id)
        lasting: Mapping[AlarmKind, bool] = {
            AlarmKind.DOOR_OFFLINE: not connected,
            AlarmKind.ROSTER_BEHIND: connected and seen is not None and not seen.in_step,
            AlarmKind.CLOCK_UNKNOWN: connected
            and seen is not None
            and not seen.presence.time_known,
        }
        for kind, holds in lasting.items():
            yield kind, self._lasts(door.id, kind, rules.of(kind).after_min * 60, holds=holds)
        left = door.heard_at + self._around.lease_s - moment
        ahead = rules.of(AlarmKind.LEASE_ENDING).after_min * 60
        yield AlarmKind.LEASE_ENDING, not connected and left < ahead

    def _of_server(
        self, session: Session, rules: Rules, *, told: list[str]
    ) -> Iterator[tuple[AlarmKind, bool]]:
        free, least = self._around.free(), rules.of(AlarmKind.SERVER_DISK_LOW).most * GIB
        if free is not None:
            clear = CLEAR_OF if AlarmKind.SERVER_DISK_LOW in told else 1.0
            yield AlarmKind.SERVER_DISK_LOW, free < least * clear
        yield AlarmKind.NEWS_UNDELIVERED, count_given_up(session) > 0
        begin_month(session)
        yield AlarmKind.FILING_NEAR, take_census(session).near
        signed = has_signature(session)
        yield AlarmKind.ASSESSMENT_MISSING, not signed and faces_are_on(session)
        yield (
            AlarmKind.ASSESSMENT_CHANGED,
            self._lasts(
                _OWN,
                AlarmKind.ASSESSMENT_CHANGED,
                rules.of(AlarmKind.ASSESSMENT_CHANGED).after_min * 60,
                holds=signed and self._around.changed(session),
            ),
        )
        oldest = rules.of(AlarmKind.BACKUP_OLD).after_min * 60
        yield AlarmKind.BACKUP_OLD, self._around.backups and age_of_backup(session) > oldest

    def _lasts(self, door: str, kind: AlarmKind, seconds: float, *, holds: bool) -> bool:
        """Say whether something has held without a break for longer than so many seconds."""
        if not holds:
            self._since.pop((door, kind), None)
            return False
        moment = self._clock()
        return moment - self._since.setdefault((door, kind), moment) > seconds

    def _forget_others(self, doors: set[str]) -> None:
        self._since = {mark: since for mark, since in self._since.items() if mark[0] in doors}

    @staticmethod
    def _follow(
        session: Session, door: str | None, kind: AlarmKind, *, due: bool, told: bool
    ) -> None:
        if due and not told:
            raise_alarm(session, door, kind)
        elif told and not due:
            end_alarms(session, door, kind)
