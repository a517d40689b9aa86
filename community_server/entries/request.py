"""What an address says that somebody looks for: the same words for pages and programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import BaseModel, Field

from community_server.entries.filters import CHOICES, Filters
from community_server.errors import InputRefused
from community_server.estate import Estate
from community_server.rosters.book import RosterBook, Row

LATEST: Final = 2**40
"""Unix seconds past which no time is meant."""

Word = Annotated[str, Field(max_length=64)]


class EntryQuery(BaseModel):
    """Which entries; what is left out leaves all of them.

    `since` and `until` (exclusive) are Unix seconds, or a time by the estate's clock such as
    `2026-11-25T07:30`. `who` is part of a name or a unit, which beats `person`, an id; both
    need `look`, the id of a stated reason.
    """

    since: Word = ""
    until: Word = ""
    door: Word = ""
    direction: Word = ""
    category: Word = ""
    credential: Word = ""
    result: Word = ""
    reason: Word = ""
    matched: Word = ""
    remark: Word = ""
    who: Annotated[str, Field(max_length=100, repr=False)] = ""
    person: Word = ""
    look: Word = ""

    def address(self, **more: object) -> str:
        """Return it as the query of an address, without what is empty."""
        return urlencode({key: value for key, value in (self.model_dump() | more).items() if value})


EntryQueryDep = Annotated[EntryQuery, Query()]


def read_filters(estate: Estate, query: EntryQuery) -> Filters:
    """Return what an address asks for.

    Raises:
        InputRefused: `time-unreadable`, `filter-unknown`.
    """
    zone = ZoneInfo(estate.settings.time_zone)
    for name, choices in CHOICES.items():
        if getattr(query, name) not in {"", *choices}:
            raise InputRefused("no such code", field=name, code="filter-unknown")
    who, people = query.who.strip(), None
    if who:
        people = frozenset(row.roster.person for row in find_people(estate.book, who))
    elif query.person:
        people = frozenset({query.person})
    return Filters(
        since=read_moment(zone, query.since, "since"),
        until=read_moment(zone, query.until, "until"),
        who=who,
        people=people,
        person=query.person,
        door=query.door,
        **{name: getattr(query, name) for name in CHOICES},
    )


def read_moment(zone: ZoneInfo, text: str, field: str) -> int:
    """Return Unix seconds, 0 for an empty text.

    Raises:
        InputRefused: `time-unreadable`.
    """
    text = text.strip()
    if text.isdecimal():
        unix = int(text)
    else:
        try:
            local = datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, zone)
            unix = int((local if local.tzinfo else local.replace(tzinfo=zone)).timestamp())
        except (ValueError, OverflowError):
            unix = -1
    if not 0 <= unix < LATEST:
        raise InputRefused("this is not a date and time", field=field, code="time-unreadable")
    return unix


def find_people(book: RosterBook, text: str) -> Sequence[Row]:
    """Return whom a text means: a household by its whole unit, or all who have its words."""
    everybody, wanted = book.everybody(), text.strip().casefold()
    household = [row for row in everybody if row.roster.unit.casefold() == wanted]
    if household:
        return household
    words = wanted.split()
    return [row for row in everybody if words and all(word in _text_of(row) for word in words)]


def _text_of(row: Row) -> str:
    return f"{row.name} {row.roster.unit}".casefold()
