"""What a file would change: every row compared with who is known, by external id or by name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_rules.people import Category
from community_server.access.membership import groups_of_people
from community_server.access.service import list_groups
from community_server.households.queries import buildings_of_people
from community_server.imports.columns import Wanted
from community_server.imports.worker_columns import WantedWorker
from community_server.people.particulars import Known, Opens, bare_phone, open_known_with
from community_server.people.tables import Person
from community_server.services.queries import employers
from community_server.vault.bulk import BulkOpener
from community_server.vault.safe import Safe

Kind = Literal["added", "changed", "unchanged", "removed"]
Row: TypeAlias = Wanted | WantedWorker


@dataclass(frozen=True)
class FieldChange:
    """One column's value, before and after, as text."""

    column: str
    before: str = field(repr=False)
    after: str = field(repr=False)


@dataclass(frozen=True)
class Step:
    """What would become of one person: `line` 0 for somebody who is in no row.

    `company` is the name of the one that a service worker comes for.
    """

    kind: Kind
    line: int
    person: str
    name: str = field(repr=False)
    unit: str
    company: str = ""
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class Existing:
    """Somebody who is known: a resident by `place`, a unit, in the `area` of a building.

    A service worker's place and area are the id of their company, whose name is `company`.
    """

    row: Person
    known: Known = field(repr=False)
    groups: frozenset[int]
    place: str
    area: str
    company: str = ""


class Everybody:
    """Those who are known, found by external id, or by place, name and phone."""

    def __init__(self, people: Iterable[Existing]) -> None:
        self.people = {one.row.id: one for one in people}
        self._external = {
            one.row.external_id: one for one in self.people.values() if one.row.external_id
        }
        self._namesakes: defaultdict[tuple[str, str], list[Existing]] = defaultdict(list)
        for one in self.people.values():
            self._namesakes[one.place, one.known.name].append(one)

    def find(self, wanted: Row) -> Existing | None:
        """Return whom a row means; None for somebody new."""
        if wanted.external_id in self._external:
            return self._external[wanted.external_id]
        phone = bare_phone(wanted.phone or "")
        namesakes = [
            one
            for one in self._namesakes[wanted.place, wanted.name]
            if not (wanted.external_id and one.row.external_id)
        ]
        same = [one for one in namesakes if bare_phone(one.known.phone) == phone]
        unsure = [one for one in namesakes if not (phone and bare_phone(one.known.phone))]
        found = same or (unsure if len(unsure) == 1 else [])
        return found[0] if found else None


def read_residents(session: Session, safe: Safe) -> Everybody:
    """Read all residents, with one query per table."""
    rows = session.scalars(select(Person).where(Person.category == "resident"))
    buildings, groups = buildings_of_people(session), groups_of_people(session)
    return _residents(rows, BulkOpener(session, safe).open, buildings, groups)


def read_workers(session: Session, safe: Safe) -> Everybody:
    """Read all service workers who come for a company, with one query per table."""
    employed, groups = employers(session), groups_of_people(session)
    opens = BulkOpener(session, safe).open
    rows = session.scalars(select(Person).where(Person.category == Category.SERVICE_WORKER))
    return Everybody(
        [
            Existing(
                row,
                open_known_with(opens, row.id, row.particulars),
                groups.get(row.id, frozenset()),
                employed[row.id].company,
                employed[row.id].company,
                employed[row.id].name,
            )
            for row in rows
            if row.id in employed
        ]
    )


def read_resident(session: Session, safe: Safe, external_id: str) -> Everybody:
    """Read the one resident with an external id, or nobody."""
    query = select(Person).where(Person.category == "resident", Person.external_id == external_id)
    rows = session.scalars(query.with_for_update()).all()
    only = [row.id for row in rows]
    groups = groups_of_people(session, only)
    return _residents(rows, partial(safe.open, session), {}, groups)


def _residents(
    rows: Iterable[Person],
    opens: Opens,
    buildings: Mapping[str, str],
    groups: Mapping[str, frozenset[int]],
) -> Everybody:
    return Everybody(
        [
            Existing(
                row,
                open_known_with(opens, row.id, row.particulars),
                groups.get(row.id, frozenset()),
                row.unit,
                buildings.get(row.id, ""),
            )
            for row in rows
        ]
    )


def compare(
    session: Session,
    everybody: Everybody,
    rows: Iterable[Row],
    zone: ZoneInfo,
    *,
    remove_missing: bool,
) -> tuple[Step, ...]:
    """Return what would become of everybody whom the rows mean, in their order.

    With `remove_missing` also of those of a building, or company, of the file who are in no row.
    """
    names = {one.id: one.name for one in list_groups(session)}
    steps, met, areas = [], set[str](), set[str]()
    for wanted in rows:
        areas.add(wanted.area)
        found = everybody.find(wanted)
        if found is not None and found.row.id in met:
            found = None
        if found is None:
            steps.append(Step("added", wanted.line, "", wanted.name, wanted.unit, wanted.company))
            continue
        met.add(found.row.id)
        changes = tuple(_changes(found, wanted, names, zone))
        kind: Kind = "changed" if changes else "unchanged"
        unit = wanted.unit or found.row.unit
        steps.append(
            Step(kind, wanted.line, found.row.id, wanted.name, unit, wanted.company, changes)
        )
    if remove_missing:
        steps.extend(
            Step("removed", 0, person, one.known.name, one.row.unit, one.company)
            for person, one in sorted(everybody.people.items())
            if person not in met and one.area in areas
        )
    return tuple(steps)


def _changes(
    found: Existing, wanted: Row, names: Mapping[int, str], zone: ZoneInfo
) -> Iterable[FieldChange]:
    row = found.row
    for name, before, after in wanted.texts(row, found.known):
        if after is not None and before != after:
            yield FieldChange(name, before, after)
    if wanted.groups is not None and wanted.groups != found.groups:
        before, after = (
            ", ".join(sorted(names.get(one, "") for one in groups))
            for groups in (found.groups, wanted.groups)
        )
        yield FieldChange("groups", before, after)
    for name, begins, wants in (
        ("valid_from", row.valid_from, wanted.valid_from),
        ("valid_until", row.valid_until, wanted.valid_until),
    ):
        if wants is not None and wants != begins:
            yield FieldChange(name, _moment(begins, zone), _moment(wants, zone))


def _moment(unix: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(unix, zone):%Y-%m-%d %H:%M}" if unix else ""
