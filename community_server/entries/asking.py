"""Asking why somebody was not let in: who is meant, when it was, and what is found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from sqlalchemy import select

from community_server.access.hours import admissions
from community_server.access.membership import doors_for
from community_server.audit.log import audit
from community_server.database import now
from community_server.doors.routes import listing as list_doors
from community_server.entries.request import find_people, read_moment
from community_server.entries.service import ShownEntry, show_entries
from community_server.entries.tables import Entry
from community_server.entries.why import (
    RECENT,
    Explained,
    Standing,
    explain,
    refusals_of,
    standing,
    unknown_near,
)
from community_server.errors import NotFound
from community_server.estate import Estate
from community_server.people.routes import ListedPerson, listed
from community_server.rosters.book import Row

MOST_NAMED: Final = 20
"""People to choose from."""

Word = Annotated[str, Field(max_length=64)]


class WhyQuery(BaseModel):
    """Who was not let in, or which entry it is; and about when, now if left out.

    `near` is Unix seconds, or a time by the estate's clock such as `2026-11-25T07:30`.
    """

    who: Annotated[str, Field(max_length=100, repr=False)] = ""
    person: Word = ""
    entry: Word = ""
    near: Word = ""
    door: Word = ""


@dataclass(frozen=True)
class Answer:
    """What is found. `near` is Unix seconds; `old` says that it is too long ago for this page.

    `several` is whom a name means if that is not one person, `count` how many they are.
    """

    near: int
    door: str
    old: bool
    several: Sequence[Row] = field(repr=False)
    count: int
    nobody: bool
    entry: Explained | None
    standing: Standing | None
    refusals: list[Explained]
    unknown: list[Explained]


def answer(estate: Estate, query: WhyQuery, staff: str) -> Answer:
    """Find out why somebody was not let in; a look at a person is written to the audit log.

    Raises:
        InputRefused: `time-unreadable`.
        NotFound: `entry-unknown`, `person-unknown`.
    """
    moment, zone = now(), ZoneInfo(estate.settings.time_zone)
    entry = _entry(estate, query.entry) if query.entry else None
    near, door = read_moment(zone, query.near, "near"), query.door
    if entry is not None:
        near, door = near or entry.at // 1000, door or entry.door
    near = near or moment
    old = near < moment - RECENT
    who = query.who.strip()
    people = find_people(estate.book, who) if who else []
    person = _person(estate, query, people, entry)
    if person is not None:
        with estate.changer.change() as change:
            audit(change.session, staff, "why-not", person.person)
    doors, name_of = list_doors(estate), estate.name_of
    several = people if len(people) > 1 else []
    with estate.reading() as session:
        limited = doors_for(session, person.person) if person else None
        known = [one.door for one in doors]
        hours = admissions(session, person.person, known, moment, zone) if person else {}
        return Answer(
            near=near,
            door=door,
            old=old,
            several=sorted(several, key=lambda row: (row.name, row.roster.unit))[:MOST_NAMED],
            count=len(several),
            nobody=bool(who) and not people,
            entry=explain(session, entry, person) if entry else None,
            standing=standing(person, limited, hours, doors, moment, door) if person else None,
            refusals=refusals_of(session, name_of, person, near) if person and not old else [],
            unknown=[] if old else unknown_near(session, name_of, near, door),
        )


def _person(
    estate: Estate, query: WhyQuery, people: Sequence[Row], entry: ShownEntry | None
) -> ListedPerson | None:
    """Return the one person who is meant: by name, else by id, else as the entry has it."""
    if query.who.strip():
        meant = people[0].roster.person if len(people) == 1 else ""
    elif query.person:
        return listed(estate, query.person)
    else:
        meant = entry.person if entry else ""
    # Whoever was removed since is in the entries still, and nowhere else.
    return listed(estate, meant) if estate.book.find(meant) else None


def _entry(estate: Estate, entry: str) -> ShownEntry:
    with estate.reading() as session:
        number = session.scalar(select(Entry.number).where(Entry.entry == entry))
        found = show_entries(session, estate.name_of, [number] if number else [])
    if not found:
        raise NotFound("no such entry", code="entry-unknown")
    return found[0]
