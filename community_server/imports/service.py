"""Applying a file exactly as it was shown, all or nothing, in one change."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_rules.people import Category
from community_server.access.service import list_groups
from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.erasure import remove_person
from community_server.errors import Conflict
from community_server.imports.cells import Fault, Reading
from community_server.imports.columns import read_rows
from community_server.imports.plan import Everybody, Step, compare, read_residents
from community_server.imports.plan import read_workers as workers_known
from community_server.imports.rows import add_resident, add_worker, alter_resident, alter_worker
from community_server.imports.sheets import Rows, read_sheet
from community_server.imports.worker_columns import read_workers
from community_server.people.tables import Person
from community_server.services.queries import company_names
from community_server.vault.safe import Safe
from tier_link.store import LinkStore

About: TypeAlias = Literal["residents", "workers"]
"""Whom a file lists."""


@dataclass(frozen=True)
class Plan:
    """What a file says, and what it would change."""

    about: About
    reading: Reading[Any]
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    remove_missing: bool

    def count(self, kind: str) -> int:
        """Return how many people a kind of step is for."""
        return sum(step.kind == kind for step in self.steps)


@dataclass(frozen=True)
class _List:
    """How one kind of list is read, compared and applied."""

    category: str
    read: Callable[[Session, Rows, ZoneInfo], Reading[Any]]
    known: Callable[[Session, Safe], Everybody]
    add: Callable[[Change, Any], str]
    alter: Callable[[Change, str, Any], None]


def _read_residents(session: Session, rows: Rows, zone: ZoneInfo) -> Reading[Any]:
    return read_rows(rows, _groups_by_name(session), zone)


def _read_workers(session: Session, rows: Rows, zone: ZoneInfo) -> Reading[Any]:
    return read_workers(rows, _groups_by_name(session), company_names(session), zone)


_LISTS: Final[dict[About, _List]] = {
    "residents": _List(
        Category.RESIDENT, _read_residents, read_residents, add_resident, alter_resident
    ),
    "workers": _List(
        Category.SERVICE_WORKER, _read_workers, workers_known, add_worker, alter_worker
    ),
}


@dataclass(frozen=True)
class Importer:
    """Reads files and applies them, for one estate."""

    safe: Safe
    links: LinkStore
    zone: ZoneInfo

    def plan(
        self,
        session: Session,
        data: bytes,
        *,
        remove_missing: bool,
        about: About = "residents",
    ) -> Plan:
        """Read a file and compare it with who is known; nothing is changed.

        Raises:
            InputRefused: as `read_sheet`, and `read_rows` or `read_workers`.
        """
        reading = _LISTS[about].read(session, read_sheet(data), self.zone)
        steps, faults = self._compare(session, reading, about, remove_missing=remove_missing)
        return Plan(about, reading, steps, faults, remove_missing)

    def apply(self, change: Change, plan: Plan, staff: str) -> list[str]:
        """Do what was shown; return the ids of those who are new.

        Raises:
            Conflict: `import-stale`, somebody of it was changed since; `import-faulty`, a row
                cannot be used.
        """
        if plan.faults:
            raise Conflict("rows of it cannot be used", code="import-faulty")
        session, kind = change.session, _LISTS[plan.about]
        fresh, faults = self._compare(
            session, plan.reading, plan.about, remove_missing=plan.remove_missing
        )
        if fresh != plan.steps or faults:
            raise Conflict("somebody was changed meanwhile", code="import-stale")
        rows = {wanted.line: wanted for wanted in plan.reading.rows}
        added = []
        for step in plan.steps:
            person = step.person
            match step.kind:
                case "added":
                    person = kind.add(change, rows[step.line])
                    added.append(person)
                    audit(session, staff, "import-add", person)
                case "changed":
                    kind.alter(change, person, rows[step.line])
                    audit(session, staff, "import-change", person)
                case "removed":
                    remove_person(change, self.links, person)
                    audit(session, staff, "import-remove", person)
                case "unchanged":
                    continue
        return added

    def _compare(
        self, session: Session, reading: Reading[Any], about: About, *, remove_missing: bool
    ) -> tuple[tuple[Step, ...], tuple[Fault, ...]]:
        """Return what would become of everybody, and all rows that cannot be used."""
        kind = _LISTS[about]
        everybody = kind.known(session, self.safe)
        steps = compare(session, everybody, reading.rows, self.zone, remove_missing=remove_missing)
        faults = (
            *reading.faults,
            *_too_late(reading, steps),
            *_taken(session, reading, kind.category),
            *_elsewhere(reading, steps, everybody),
        )
        return steps, faults


def _too_late(reading: Reading[Any], steps: Sequence[Step]) -> Iterator[Fault]:
    """Find newcomers whose time is over already."""
    rows, moment = {wanted.line: wanted for wanted in reading.rows}, now()
    for step in steps:
        if step.kind == "added" and 0 < (rows[step.line].valid_until or 0) <= moment:
            yield Fault(step.line, "valid_until", "time-gone")


def _taken(session: Session, reading: Reading[Any], category: str) -> Iterator[Fault]:
    """Find external ids of people of another kind: there is one set of ids for all people."""
    others = select(Person.external_id).where(
        Person.external_id.is_not(None), Person.category != category
    )
    taken = set(session.scalars(others))
    for row in reading.rows:
        if row.external_id in taken:
            yield Fault(row.line, "external_id", "external-id-taken", row.external_id)


def _elsewhere(
    reading: Reading[Any], steps: Sequence[Step], everybody: Everybody
) -> Iterator[Fault]:
    """Find workers whose id is of somebody who comes for another company.

    Who changes the employer is another worker there: of the former company's visits they take none
    along.
    """
    rows = {wanted.line: wanted for wanted in reading.rows}
    for step in steps:
        known = everybody.people.get(step.person) if step.line else None
        if known is not None and step.company and known.place != rows[step.line].place:
            yield Fault(step.line, "company", "company-other", known.company)


def _groups_by_name(session: Session) -> dict[str, int]:
    return {one.name: one.id for one in list_groups(session) if one.name}
