"""Doors that tell entries, by the way that real ones take."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.change import Change
from community_server.doors.service import add_door
from community_server.entries.service import ShownEntry, list_entries
from community_server.estate import Estate
from community_server.people.particulars import Known
from community_server.people.service import add_person
from tier_link.estate_messages import ESTATE, EntryRecorded, EstateMessage

AT = 1_795_000_000
"""A Unix second: 18 November 2026, 19:06:40 in Shanghai."""


@dataclass
class Log:
    """One estate's log, filled by hand."""

    estate: Estate
    told: int = field(default=0)

    def door(self, name: str, direction: str = "both") -> str:
        with self.estate.changer.change() as change:
            return add_door(change.session, name, direction)

    def person(self, name: str, unit: str, category: str = "resident", **more: Any) -> str:
        def add(change: Change) -> str:
            row = add_person(change, category=category, unit=unit, known=Known(name=name), **more)
            row.state = "active"
            return row.id

        with self.estate.changer.change() as change:
            return add(change)

    def message(self, at: float = AT, **more: Any) -> EntryRecorded:
        self.told += 1
        fields: dict[str, Any] = {
            "entry": secrets.token_hex(16),
            "door_sequence": self.told,
            "at": round(at * 1000),
            "time_known": True,
            "direction": "both",
            "person": "",
            "category": "resident" if more.get("person") else "",
            "credential": "face",
            "granted": True,
            "reason": "within-rules" if more.get("granted", True) else "not-recognized",
            "matched": "local",
            "took_ms": 40,
            "frames": 2,
        }
        return EntryRecorded(**(fields | more))

    def entry(self, door: str, at: float = AT, **more: Any) -> str:
        message = self.message(at, **more)
        self.tell(door, message)
        return message.entry

    def tell(self, door: str, *messages: EstateMessage) -> None:
        with Session(self.estate.engine) as session, session.begin():
            for message in messages:
                records = self.estate.doors._records
                records.apply(session, door, ESTATE.kind(message), ESTATE.encode(message))

    def everything(self) -> list[ShownEntry]:
        with self.estate.reading() as session:
            return list(list_entries(session, self.estate.name_of, after=0, limit=100_000))

    def audit(self, action: str) -> list[tuple[str, str]]:
        with self.estate.reading() as session:
            rows = session.query(AuditRow).filter_by(action=action).order_by(AuditRow.number)
            return [(row.subject, row.detail) for row in rows]
