"""A door on the bench, and what it tells."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from community_server.alarms.queries import AlarmFilter, ShownAlarm, active_kinds, list_alarms
from community_server.doors.service import add_door
from community_server.doors.tables import Door
from community_server.entries.service import list_entries
from tests.community_server.bench import Bench
from tier_link.estate_messages import ESTATE, AlarmChanged, EntryRecorded, EstateMessage

AT = 1_795_000_000_000


@dataclass
class Gate:
    """One door and what it tells."""

    bench: Bench
    direction: str = "both"
    pair: str = ""
    door: str = ""
    told: int = field(default=0)

    def __post_init__(self) -> None:
        with self.bench.estate.changer.change() as change:
            self.door = add_door(change.session, "Gate", self.direction)
            row = change.session.get_one(Door, self.door)
            row.pair, row.state = self.pair, "paired"

    def tell(self, message: EstateMessage) -> None:
        with Session(self.bench.estate.engine) as session, session.begin():
            records = self.bench.estate.doors._records
            records.apply(session, self.door, ESTATE.kind(message), ESTATE.encode(message))

    def entry(self, at: int = AT, **more: Any) -> str:
        self.told += 1
        fields: dict[str, Any] = {
            "entry": secrets.token_hex(16),
            "door_sequence": self.told,
            "at": at,
            "time_known": True,
            "direction": self.direction,
            "person": "a" * 32,
            "category": "resident",
            "credential": "face",
            "granted": True,
            "reason": "within-rules",
            "matched": "local",
            "took_ms": 40,
            "frames": 2,
        }
        entry = EntryRecorded(**(fields | more))
        self.tell(entry)
        return entry.entry

    def remarks(self, entry: str) -> tuple[str, ...]:
        with self.bench.estate.reading() as session:
            entries = list_entries(session, lambda _: "", after=None, limit=100)
        return next(one.remarks for one in entries if one.entry == entry)

    def alarms(self, *, only_open: bool = False) -> list[ShownAlarm]:
        with self.bench.estate.reading() as session:
            wanted = AlarmFilter(only_open=only_open)
            alarms = list_alarms(session, self.bench.estate.safe, wanted, limit=1000)
        return [one for one in alarms if one.door == self.door]

    def kinds(self) -> list[str]:
        with self.bench.estate.reading() as session:
            return active_kinds(session).get(self.door, [])


def raised(alarm: str = "", kind: str = "held-open", at: int = AT) -> AlarmChanged:
    return AlarmChanged(alarm or secrets.token_hex(16), kind, True, at, at > 0)


def over(alarm: AlarmChanged, by: str = "", at: int = AT + 5000) -> AlarmChanged:
    return AlarmChanged(alarm.alarm, alarm.kind, False, at, at > 0, by)
