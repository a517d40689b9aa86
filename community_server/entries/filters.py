"""What staff look for in the entry log: one value for pages, programs and the live view."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Boolean, ColumnElement, literal_column
from sqlalchemy.orm import InstrumentedAttribute

from access_rules.alarms import EntryRemark
from access_rules.decision import DecisionReason
from access_rules.people import Category, Credential, Direction
from community_server.entries.service import ShownEntry
from community_server.entries.tables import REMARKED, Entry, EntryKind

UNKNOWN: Final = "unknown"
"""Beside the categories: somebody who showed something that did not tell who they are."""
RESULTS: Final = ("granted", "refused")
MATCHED: Final = ("local", "remote")

CHOICES: Final = {
    "direction": tuple(one.value for one in Direction),
    "category": (*(one.value for one in Category), UNKNOWN),
    "credential": tuple(one.value for one in Credential),
    "result": RESULTS,
    "reason": tuple(one.value for one in DecisionReason),
    "matched": MATCHED,
    "remark": tuple(one.value for one in EntryRemark),
}
"""The codes that each filter may have, beside none at all."""

_SAME_NAME: Final = ("direction", "credential", "reason", "matched")
_FROM_INSIDE: Final = Credential.NONE.value


@dataclass(frozen=True)
class Filters:
    """Which entries; what is left empty leaves all of them.

    `since` and `until` (exclusive) are Unix seconds, 0 for no bound. `who` is part of a name or a
    unit, or empty; `person` an id. `people` is whom these two mean, None where neither is given.
    """

    since: int = 0
    until: int = 0
    door: str = ""
    direction: str = ""
    category: str = ""
    credential: str = ""
    result: str = ""
    reason: str = ""
    matched: str = ""
    remark: str = ""
    who: str = field(default="", repr=False)
    person: str = ""
    people: frozenset[str] | None = field(default=None, repr=False)

    @property
    def is_kind(self) -> bool:
        """Whether it asks for something by which hours are counted."""
        return next(self._kinds(Entry), None) is not None

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return its conditions on entries, all but whose they are."""
        found = list(self._kinds(Entry))
        if self.category == UNKNOWN:
            found.append(Entry.person_id == "")
        if self.since:
            found.append(Entry.at >= self.since * 1000)
        if self.until:
            found.append(Entry.at < self.until * 1000)
        if self.remark:
            found.append(Entry.remarks.like(f"%{self.remark}%"))
            found.append(literal_column(REMARKED.text, Boolean()))
        return found

    def kind_clauses(self) -> list[ColumnElement[bool]]:
        """Return conditions on kinds: where none fits, no entry does."""
        return list(self._kinds(EntryKind))

    def matches(self, entry: ShownEntry) -> bool:
        """Say whether an entry is one of them."""
        people = self.people
        return (
            all(getattr(self, name) in {"", getattr(entry, name)} for name in _SAME_NAME)
            and self.door in {"", entry.door}
            and self.result in {"", RESULTS[0] if entry.granted else RESULTS[1]}
            and (not self.category or self.category == _category_of(entry))
            and (not self.remark or self.remark in entry.remarks)
            and (not self.since or entry.at >= self.since * 1000)
            and (not self.until or entry.at < self.until * 1000)
            and (people is None or entry.person in people)
        )

    def _kinds(self, table: type[Entry] | type[EntryKind]) -> Iterator[ColumnElement[bool]]:
        if self.door:
            yield table.door_id == self.door
        for name in _SAME_NAME:
            if wanted := getattr(self, name):
                column: InstrumentedAttribute[str] = getattr(table, name)
                yield column == wanted
        if self.result:
            yield table.granted.is_(self.result == RESULTS[0])
        if self.category == UNKNOWN:
            yield table.category == ""
            yield table.credential != _FROM_INSIDE
        elif self.category:
            yield table.category == self.category


def _category_of(entry: ShownEntry) -> str:
    if entry.category or entry.person or entry.credential == _FROM_INSIDE:
        return entry.category
    return UNKNOWN
